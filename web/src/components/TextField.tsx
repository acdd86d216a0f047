/** One line to type into, with its label above, help below and an error that says what to do. */
import { FieldError } from "react-aria-components/FieldError";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { Text } from "react-aria-components/Text";
import { type TextFieldProps as AriaProps, TextField as AriaTextField } from "react-aria-components/TextField";
import "./text-field.css";

export type TextFieldProps = Omit<AriaProps, "className" | "style" | "children"> & {
  label: string;
  help?: string;
  error?: string;
  "data-testid"?: string;
};

export function TextField({ label, help, error, "data-testid": testId, ...props }: TextFieldProps) {
  return (
    <AriaTextField {...props} className="text-field" isInvalid={error !== undefined || (props.isInvalid ?? false)}>
      <Label className="text-field-label">{label}</Label>
      <Input className="text-field-input" data-testid={testId} />
      {help && (
        <Text slot="description" className="text-field-help">
          {help}
        </Text>
      )}
      {error && <FieldError className="text-field-error">{error}</FieldError>}
    </AriaTextField>
  );
}
