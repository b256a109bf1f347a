// What people do in the console, from one end to the other. Each journey is one function; it throws where the console
// does not do what it should.

export * from "./first.mjs";
export * from "./notes.mjs";
export * from "./code.mjs";
export * from "./people.mjs";
export * from "./parts.mjs";
export * from "./runs.mjs";
export * from "./faults.mjs";
export * from "./doors.mjs";
