/** A thing to press, named with a verb. `primary` once per screen; `danger` only for what destroys. */
import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components/Button";
import "./button.css";

export type ButtonProps = Omit<AriaProps, "className" | "style" | "children"> & {
  look?: "primary" | "soft" | "plain" | "quiet" | "danger";
  wide?: boolean;
  children: ReactNode;
  "data-testid"?: string;
};

export function Button({ look = "plain", wide = false, ...props }: ButtonProps) {
  return <AriaButton {...props} className={`button button-${look}${wide ? " button-wide" : ""}`} />;
}
