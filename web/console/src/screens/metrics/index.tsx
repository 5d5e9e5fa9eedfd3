import type { ScreenProps } from "../../screens.js";
import { Head } from "../../ui/index.js";

export default function Metrics(_: ScreenProps) {
  return (
    <div class="screen">
      <Head title="Metrics" />
    </div>
  );
}
