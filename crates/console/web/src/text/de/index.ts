// Die Texte der Konsole auf Deutsch.

import type { Catalogue } from "../en/index.ts";
import { frame } from "./frame.ts";
import { project } from "./project.ts";
import { tenant } from "./tenant.ts";
import { writing } from "./writing.ts";

export const de: Catalogue = { ...frame, ...project, ...writing, ...tenant };
