// Koncorde behind a pipe. For each line of JSON
//   {"filter": …, "documents": [ … ]}
// it prints one: why the filter is refused,
//   {"error": {"message": …, "keyword": …, "path": …}}
// without keyword and path if it failed by accident, or what it says of each
// document: whether it matches, or the text of what was thrown.
//   {"answers": [true, "subfilters is not iterable"]}
import { createInterface } from 'node:readline';
import koncorde from 'koncorde';

// More conditions than any question has.
const options = { maxConditions: 1000, seed: Buffer.alloc(32) };

function answer({ filter, documents }) {
  const engine = new koncorde.Koncorde(options);
  try {
    engine.register(filter);
  } catch ({ message, keyword, path }) {
    return { error: { message, keyword, path } };
  }
  return {
    answers: documents.map((document) => {
      try {
        return engine.test(document).length > 0;
      } catch (error) {
        return error.message;
      }
    }),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
}
