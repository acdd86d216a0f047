/** Looks for a name while one types; Escape or the cross empties it. */
import { Button as AriaButton } from "react-aria-components/Button";
import { Input } from "react-aria-components/Input";
import { type SearchFieldProps as AriaProps, SearchField as AriaSearchField } from "react-aria-components/SearchField";
import { Icon } from "./Icon.tsx";
import "./text-field.css";
import "./search-field.css";

export type SearchFieldProps = Omit<AriaProps, "className" | "style" | "children"> & {
  label: string;
  placeholder: string;
  clear: string;
};

export function SearchField({ label, placeholder, clear, ...props }: SearchFieldProps) {
  return (
    <AriaSearchField {...props} aria-label={label} className="search-field">
      <Icon name="search" />
      <Input className="text-field-input" placeholder={placeholder} />
      <AriaButton aria-label={clear} className="icon-button">
        <Icon name="close" />
      </AriaButton>
    </AriaSearchField>
  );
}
