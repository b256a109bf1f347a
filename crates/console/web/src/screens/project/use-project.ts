// The project that is open.

import { createContext, useContext } from "react";

export interface OpenProject {
  id: string;
  slug: string;
  name: string;
  /** How many sources it has. */
  sources: number;
}

export const ProjectContext = createContext<OpenProject | undefined>(undefined);

export function useProject(): OpenProject {
  const project = useContext(ProjectContext);
  if (!project) throw new Error("useProject outside of a project");
  return project;
}
