// What relay-compiler compiles against schema.graphql: a connection with Relay's own directives, a mutation and a
// subscription. The compiler reads the tags; nothing runs this file.

graphql`
  query operationsNotesQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ...operationsNotes_project @alias(as: "project")
    }
  }
`;

graphql`
  fragment operationsNotes_project on Project
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "operationsNotesPageQuery") {
    name
    notes(first: $count, after: $cursor) @connection(key: "Project_notes") {
      edges {
        node {
          id
          title
        }
      }
    }
  }
`;

graphql`
  mutation operationsWriteMutation($input: CreateNoteInput!) {
    createNote(input: $input) {
      note {
        id
        title
      }
    }
  }
`;

graphql`
  subscription operationsEventsSubscription($runId: ID!, $after: Int!) {
    runEvents(runId: $runId, after: $after) {
      seq
      ... on RunFinished {
        run {
          id
          status
        }
      }
    }
  }
`;
