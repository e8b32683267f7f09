// Reads a JSON list of SQL texts from standard input; writes one line of JSON for each: null if PostgreSQL's parser refuses
// it, else how many statements it holds, whether each of them only reads as far as the grammar shows, and what is called.
import { readFileSync } from 'node:fs';
import { loadModule, parseSync } from 'libpg-query';

const WRITES = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'IntoClause', 'LockingClause']);
const READS = new Set(['SelectStmt', 'ExplainStmt', 'VariableShowStmt']);

function look(node, found) {
  if (Array.isArray(node)) {
    node.forEach((each) => look(each, found));
  } else if (node !== null && typeof node === 'object') {
    for (const [key, value] of Object.entries(node)) {
      if (WRITES.has(key) || key === 'intoClause' || key === 'lockingClause') {
        found.writes = true;
      }
      if (key === 'FuncCall' && value.funcname) {
        found.calls.push(value.funcname.map((part) => part.String.sval).join('.'));
      }
      look(value, found);
    }
  }
}

await loadModule();
for (const sql of JSON.parse(readFileSync(0, 'utf8'))) {
  let answer = null;
  try {
    const statements = (parseSync(sql).stmts ?? []).map((each) => each.stmt);
    const found = { writes: false, calls: [] };
    look(statements, found);
    let kinds = statements.map((each) => Object.keys(each)[0]);
    statements.forEach((each) => {
      if (each.ExplainStmt) {
        kinds = kinds.concat(Object.keys(each.ExplainStmt.query)[0]);
      }
    });
    answer = {
      statements: statements.length,
      reads: !found.writes && kinds.every((kind) => READS.has(kind)),
      calls: found.calls,
    };
  } catch (refused) {
    answer = null;
  }
  console.log(JSON.stringify(answer));
}
