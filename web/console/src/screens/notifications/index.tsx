import type { ScreenProps } from "../../screens.js";
import { Head } from "../../ui/index.js";

export default function Notifications(_: ScreenProps) {
  return (
    <div class="screen">
      <Head title="Notifications" />
    </div>
  );
}
