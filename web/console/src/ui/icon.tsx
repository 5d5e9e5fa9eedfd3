// The icons: strokes on a grid of 20.
const paths = {
  map: "M2.5 5.2 7.5 3l5 2.2 5-2.2v11.8l-5 2.2-5-2.2-5 2.2zM7.5 3v11.8M12.5 5.2V17",
  rooms: "M10 3a7 7 0 1 0 7 7M10 6.5a3.5 3.5 0 1 0 3.5 3.5M10 10l6-6M16 4h-3M16 4v3",
  documents: "M5 2.5h6.5L15.5 6.5v11H5zM11.5 2.5v4h4M7.5 10h5.5M7.5 13.5h5.5",
  notifications: "M2.5 10h3l2-5.5 4 11 2.5-8 1 2.5h2.5",
  clients: "M6.5 8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM2 16.5c0-3 2-5 4.5-5s4.5 2 4.5 5M13.5 8.5a2.2 2.2 0 1 0 0-4.4M13.5 11.5c2.3 0 4.5 1.900 4.5 5",
  metrics: "M3 17V3M3 17h14M6.5 13.5v-3M10 13.5V7M13.5 13.5v-5M17 13.5V4.5",
  circle: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 10h.01",
  box: "M3.5 5h13v10h-13z",
  polygon: "M4 7l6.5-4L17 8.5 14 17H6z",
  copy: "M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7",
  check: "M4 10.5l4 4 8-9",
  close: "M5 5l10 10M15 5L5 15",
  search: "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.5 13.5L17 17",
  pause: "M7 4v12M13 4v12",
  play: "M6 4l10 6-10 6z",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  trash: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5",
  sun: "M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1",
  moon: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z",
  system: "M3 4h14v9.5H3zM7 17h6M10 13.5V17",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 14.5h.01M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z",
  user: "M10 9.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.5 17c0-3.2 2.7-5 6.5-5s6.5 1.8 6.5 5",
  out: "M12 5.5V3H4v14h8v-2.5M8 10h9M14 7l3 3-3 3",
  target: "M10 16a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM10 1.5V6M10 14v4.5M1.5 10H6M14 10h4.5",
  edit: "M3.5 16.5l.8-3.5L13 4.3l2.7 2.7L7 15.7zM11.5 5.8l2.7 2.7",
  next: "M7.5 4.5L13 10l-5.5 5.5",
  back: "M12.5 4.5L7 10l5.5 5.5",
  down: "M4.5 7.5L10 13l5.5-5.5",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  warning: "M10 3l7.5 13.5h-15zM10 8v4M10 14.3h.01",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg class="logo" viewBox="4 3 24 26" width={size} height={size} aria-hidden="true" focusable="false">
      <path class="logo-ring" d="M23.2 9.6A10 10 0 1 0 26 16" />
      <circle class="logo-dot" cx="21" cy="13.6" r="3.6" />
    </svg>
  );
}
