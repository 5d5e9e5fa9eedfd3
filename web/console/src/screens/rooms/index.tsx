import type { ScreenProps } from "../../screens.js";
import { Head } from "../../ui/index.js";

export default function Rooms(_: ScreenProps) {
  return (
    <div class="screen">
      <Head title="Rooms" />
    </div>
  );
}
