// Colours with the contrast that WCAG 2.2 AA asks for, light and dark; everything else is Mantine's.

import { Badge, type CSSVariablesResolver, Modal, Table, Tooltip, createTheme } from "@mantine/core";
import { t } from "~/text";

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: "md",
  focusRing: "auto",
  respectReducedMotion: true,
  headings: { fontWeight: "600" },
  components: {
    Badge: Badge.extend({ defaultProps: { variant: "light", tt: "none", fw: 500, radius: "sm" } }),
    // A table that scrolls sideways takes the arrows of the keyboard.
    TableScrollContainer: Table.ScrollContainer.extend({ defaultProps: { type: "native", tabIndex: 0 } }),
    Tooltip: Tooltip.extend({
      defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: false } },
    }),
    Modal: Modal.extend({
      defaultProps: {
        get closeButtonProps() {
          return { "aria-label": t.common.close };
        },
      },
    }),
  },
});

const COLOURS = [
  "red",
  "orange",
  "yellow",
  "green",
  "teal",
  "blue",
  "indigo",
  "violet",
  "grape",
  "gray",
  "cyan",
  "pink",
];

/** Mantine's own light variants and dimmed text are too pale for small text. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5a6169",
    "--mantine-color-placeholder": "#6b727a",
    "--mantine-color-anchor": "#364fc7",
    "--mantine-color-error": "#c92a2a",
    ...Object.fromEntries(
      COLOURS.map((name) => [
        `--mantine-color-${name}-light-color`,
        `color-mix(in srgb, var(--mantine-color-${name}-9), #000 28%)`,
      ]),
    ),
  },
  dark: {
    "--mantine-color-body": "#1b1c20",
    "--mantine-color-dimmed": "#a3a8ae",
    "--mantine-color-placeholder": "#9298a0",
    "--mantine-color-anchor": "#91a7ff",
    "--mantine-color-error": "#ffa8a8",
    "--mantine-color-gray-light": "#2e3036",
    "--mantine-color-yellow-light": "#3a3118",
    ...Object.fromEntries(
      COLOURS.map((name) => [`--mantine-color-${name}-light-color`, `var(--mantine-color-${name}-2)`]),
    ),
  },
});
