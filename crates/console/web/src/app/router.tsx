// Every address of the console. A screen is a file of its own, which is loaded when it is first opened.

import { Outlet, createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { NotFound, ScreenFailure } from "./not-found";
import { Shell } from "./shell";

const root = createRootRoute({
  component: () => (
    <Shell>
      <Outlet />
    </Shell>
  ),
  notFoundComponent: NotFound,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("~/screens/home"), "Home"),
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  component: lazyRouteComponent(() => import("~/screens/home"), "Home"),
});
const projects = createRoute({
  getParentRoute: () => root,
  path: "/projects",
  component: lazyRouteComponent(() => import("~/screens/projects"), "Projects"),
});
const project = createRoute({
  getParentRoute: () => root,
  path: "/projects/$slug",
  component: lazyRouteComponent(() => import("~/screens/project/layout"), "ProjectLayout"),
});
const overview = createRoute({
  getParentRoute: () => project,
  path: "/",
  component: lazyRouteComponent(() => import("~/screens/project/overview"), "Overview"),
});
const sources = createRoute({
  getParentRoute: () => project,
  path: "/sources",
  component: lazyRouteComponent(() => import("~/screens/project/sources"), "Sources"),
});
const source = createRoute({
  getParentRoute: () => project,
  path: "/sources/$sourceId",
  component: lazyRouteComponent(() => import("~/screens/project/source"), "SourceScreen"),
});
const patterns = createRoute({
  getParentRoute: () => project,
  path: "/patterns",
  component: lazyRouteComponent(() => import("~/screens/project/patterns"), "Patterns"),
});
const notes = createRoute({
  getParentRoute: () => project,
  path: "/notes",
  component: lazyRouteComponent(() => import("~/screens/project/notes"), "Notes"),
});
const note = createRoute({
  getParentRoute: () => project,
  path: "/notes/$noteId",
  component: lazyRouteComponent(() => import("~/screens/project/note"), "NoteScreen"),
});
const code = createRoute({
  getParentRoute: () => project,
  path: "/code",
  // `lines` is "12" or "12-20". The router reads a number as one.
  validateSearch: (search: Record<string, unknown>): { source?: string; path?: string; lines?: string } => ({
    ...(typeof search.source === "string" ? { source: search.source } : {}),
    ...(search.path !== undefined ? { path: String(search.path) } : {}),
    ...(search.lines !== undefined ? { lines: String(search.lines) } : {}),
  }),
  component: lazyRouteComponent(() => import("~/screens/project/code/code"), "Code"),
});
const knowledge = createRoute({
  getParentRoute: () => project,
  path: "/knowledge",
  component: lazyRouteComponent(() => import("~/screens/project/knowledge"), "Knowledge"),
});
const posts = createRoute({
  getParentRoute: () => project,
  path: "/posts",
  component: lazyRouteComponent(() => import("~/screens/project/posts"), "Posts"),
});
const post = createRoute({
  getParentRoute: () => project,
  path: "/posts/$postId",
  component: lazyRouteComponent(() => import("~/screens/project/post"), "PostScreen"),
});
const projectRuns = createRoute({
  getParentRoute: () => project,
  path: "/runs",
  component: lazyRouteComponent(() => import("~/screens/runs"), "ProjectRuns"),
});
const projectSettings = createRoute({
  getParentRoute: () => project,
  path: "/settings",
  component: lazyRouteComponent(() => import("~/screens/project/settings"), "ProjectSettings"),
});
const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  component: lazyRouteComponent(() => import("~/screens/runs"), "Runs"),
});
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$runId",
  component: lazyRouteComponent(() => import("~/screens/run"), "RunScreen"),
});
const personas = createRoute({
  getParentRoute: () => root,
  path: "/personas",
  component: lazyRouteComponent(() => import("~/screens/personas"), "Personas"),
});
const models = createRoute({
  getParentRoute: () => root,
  path: "/models",
  component: lazyRouteComponent(() => import("~/screens/models/models"), "Models"),
});
const usage = createRoute({
  getParentRoute: () => root,
  path: "/usage",
  component: lazyRouteComponent(() => import("~/screens/usage"), "Usage"),
});
const people = createRoute({
  getParentRoute: () => root,
  path: "/people",
  component: lazyRouteComponent(() => import("~/screens/people"), "People"),
});
const tokens = createRoute({
  getParentRoute: () => root,
  path: "/tokens",
  component: lazyRouteComponent(() => import("~/screens/tokens"), "Tokens"),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  component: lazyRouteComponent(() => import("~/screens/audit"), "Audit"),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("~/screens/settings"), "Settings"),
});

const inProject = [
  overview, sources, source, code, patterns, notes, note, knowledge, posts, post, projectRuns, projectSettings,
];
const atTop = [home, signIn, projects, runs, run, personas, models, usage, people, tokens, audit, settings];

export const router = createRouter({
  routeTree: root.addChildren([...atTop, project.addChildren(inProject)]),
  defaultPreload: "intent",
  defaultErrorComponent: ScreenFailure,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
