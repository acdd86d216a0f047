/** A picture to press; its name is read aloud and shown on hover. */

import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components/Button";
import { Icon, type IconName } from "./Icon.tsx";
import "./icon-button.css";

export type IconButtonProps = Omit<AriaProps, "className" | "style" | "children"> & { icon: IconName; label: string };

export function IconButton({ icon, label, ...props }: IconButtonProps) {
  return (
    <AriaButton {...props} aria-label={label} className="icon-button">
      <Icon name={icon} />
    </AriaButton>
  );
}
