/** Every picture of the frame, drawn here: 24 units, one stroke, the colour of the text around it. */
import "./icon.css";

const shapes = {
  messages: "M4 5h16v11H10l-4 4v-4H4z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  back: "M15 5l-7 7 7 7",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8h.01",
  plus: "M12 5v14M5 12h14",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  down: "M6 9l6 6 6-6",
  forward: "M9 5l7 7-7 7",
  close: "M6 6l12 12M18 6L6 18",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  const mirrored = name === "back" || name === "forward";
  return (
    <svg
      className={mirrored ? "icon icon-mirrored" : "icon"}
      data-thick={name === "more" || undefined}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={shapes[name]} />
    </svg>
  );
}

/** The mark: a satchel in one stroke. */
export function Satchel({ large = false }: { large?: boolean }) {
  return (
    <svg
      className={large ? "satchel satchel-large" : "satchel"}
      viewBox="0 0 48 48"
      aria-hidden="true"
      focusable="false"
    >
      <path d="M17 15v-3a7 7 0 0 1 14 0v3M9 17h30v22a4 4 0 0 1-4 4H13a4 4 0 0 1-4-4V17v5a9 9 0 0 0 9 9h2v-4h8v8h-8v-4h8h2a9 9 0 0 0 9-9" />
    </svg>
  );
}
