// Every string of the console in English, a file for each area. A translation is a folder of this shape.

import { frame } from "./frame.ts";
import { project } from "./project.ts";
import { tenant } from "./tenant.ts";
import { writing } from "./writing.ts";

export const en = { ...frame, ...project, ...writing, ...tenant };

export type Catalogue = typeof en;
