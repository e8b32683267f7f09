// node-postgres: simple, extended and named statements; pool, cursor and stream on top of it.
import pg from 'pg';
import Pool from 'pg-pool';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { once } from 'node:events';

const failure = (error) => `${error.code} ${error.message} ${error.detail ?? ''}`;
const attempt = (promise) => promise.then((done) => done.rows, failure);

async function connected(way, work) {
  const client = new pg.Client(way);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

export async function namedStatements(way, see) {
  await connected(way, async (client) => {
    for (let i = 0; i < 12; i++) {
      see(await attempt(client.query({ name: 'sum', text: 'SELECT $1::int + 1 AS n, $2::text AS t', values: [i, `t${i}`] })));
      see(await attempt(client.query({ name: 'quotient', text: 'SELECT 60 / $1::int AS q', values: [i % 3] })));
      see(await attempt(client.query('SELECT $1::int * 2 AS unnamed', [i])));
      see(await attempt(client.query(`SELECT ${i} AS plain`)));
      see(await attempt(client.query({ name: 'broken', text: 'SELEC $1', values: [i] })));
      see(await attempt(client.query({ text: 'SELECT $1::text AS b', values: ['x'], binary: true })));
    }
    const several = await client.query('SELECT 1 AS a; CREATE TEMP TABLE IF NOT EXISTS t (id int); SELECT 2 AS b');
    see(several.map((one) => [one.command, one.rows]));
    await client.query('DROP TABLE t');
  });
}

// In the client's queue: each goes out when the one before is answered.
export async function queuedRequests(way, see) {
  await connected(way, async (client) => {
    const asked = [];
    for (let i = 0; i < 200; i++) {
      asked.push(attempt(client.query({ name: `n${i % 7}`, text: `SELECT 100 / ($1::int % 10) AS q, ${i % 7} AS k`, values: [i] })));
    }
    for (const answer of await Promise.all(asked)) {
      see(answer);
    }
  });
}

// All at once, each with its own Sync.
export async function pipelinedRequests(way, see) {
  const client = new pg.Client({ ...way, pipeline: true });
  await client.connect();
  const asked = [];
  for (let i = 0; i < 200; i++) {
    asked.push(
      i % 5 === 4
        ? attempt(client.query(`SELECT 1 / (${i} % 2) AS plain`))
        : attempt(client.query({ name: `n${i % 7}`, text: `SELECT 100 / ($1::int % 10) AS q, ${i % 7} AS k`, values: [i] })),
    );
  }
  for (const answer of await Promise.all(asked)) {
    see(answer);
  }
  await client.end();
}

export async function valuesOfEveryKind(way, see) {
  await connected(way, async (client) => {
    await client.query('DROP TABLE IF EXISTS kinds');
    await client.query('CREATE TABLE kinds (id int, t text, b bool, d date, i timestamptz, n numeric, u uuid, j jsonb, a int[], w text[], r bytea, f float8)');
    for (let i = 0; i < 3; i++) {
      const row = [i, i === 2 ? null : `grüß ' " \\ ${i}`, i % 2 === 0, '2024-02-29', new Date(Date.UTC(2024, 0, 1 + i)), '12345678901234567890.5', '00000000-0000-0000-0000-00000000000a', { k: [i, null] }, [i, 2], ['a,b', '"', null], Buffer.from([0, 255, i]), 0.1 * i];
      see((await client.query('INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *', row)).rows);
    }
    const all = await client.query({ text: 'SELECT * FROM kinds ORDER BY id', rowMode: 'array' });
    see(all.rows, all.fields.map((field) => [field.name, field.dataTypeID, field.format]));
    see((await client.query("SELECT repeat('x', 2000000) AS long")).rows[0].long.length);
  });
}

export async function poolOfClients(way, see) {
  const pool = new Pool({ ...way, max: 5, idleTimeoutMillis: 1000 });
  await pool.query('DROP TABLE IF EXISTS account; CREATE TABLE account (id int PRIMARY KEY, cents int); INSERT INTO account VALUES (1, 1000), (2, 1000)');
  const transfer = async (token) => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query({ name: 'take', text: 'UPDATE account SET cents = cents - $1 WHERE id = 1', values: [token] });
      await client.query({ name: 'give', text: 'UPDATE account SET cents = cents + $1 WHERE id = 2', values: [token] });
      if (token % 10 === 9) {
        await client.query('SELECT 1/0');
      }
      await client.query('COMMIT');
      return 'done';
    } catch (error) {
      await client.query('ROLLBACK');
      return failure(error);
    } finally {
      client.release();
    }
  };
  for (const done of await Promise.all(Array.from({ length: 80 }, (_, token) => transfer(token)))) {
    see(done);
  }
  see((await pool.query('SELECT * FROM account ORDER BY id')).rows);
  await pool.end();
}

export async function cursors(way, see) {
  await connected(way, async (client) => {
    for (let round = 0; round < 4; round++) {
      const cursor = client.query(new Cursor('SELECT n FROM generate_series(1, $1::int) n', [100]));
      let sum = 0;
      for (let rows = await cursor.read(13); rows.length > 0; rows = await cursor.read(13)) {
        sum += rows.reduce((total, row) => total + row.n, 0);
      }
      see('read', sum);
      const half = client.query(new Cursor('SELECT n FROM generate_series(1, $1::int) n', [100]));
      see('half', (await half.read(5)).length);
      await half.close();
      see(await attempt(client.query('SELECT $1::text AS afterwards', ['a'])));
      const failing = client.query(new Cursor('SELECT 10 / (5 - n) AS q FROM generate_series(1, $1::int) n', [9]));
      see(await failing.read(3).then((rows) => rows, failure));
      see(await failing.read(3).then((rows) => rows, failure));
      await failing.close().catch(() => {});
      see(await attempt(client.query({ name: 'after', text: 'SELECT $1::int AS afterwards', values: [round] })));
    }
  });
}

export async function streams(way, see) {
  await connected(way, async (client) => {
    for (let round = 0; round < 3; round++) {
      let sum = 0;
      for await (const row of client.query(new QueryStream('SELECT n FROM generate_series(1, $1::int) n', [500], { batchSize: 17 }))) {
        sum += row.n;
      }
      see('streamed', sum);
      let seen = 0;
      for await (const row of client.query(new QueryStream('SELECT n FROM generate_series(1, $1::int) n', [500], { batchSize: 17 }))) {
        if ((seen += row.n) > 100) {
          break; // destroys the stream, which closes the portal
        }
      }
      see('given up', seen);
      see(await attempt(client.query('SELECT 1 AS afterwards')));
    }
  });
}

export async function transactionsAndFailures(way, see) {
  await connected(way, async (client) => {
    await client.query('DROP TABLE IF EXISTS saved');
    await client.query('CREATE TABLE saved (id int PRIMARY KEY)');
    for (let round = 0; round < 3; round++) {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('INSERT INTO saved VALUES ($1)', [round * 10]);
      await client.query('SAVEPOINT s');
      see(await attempt(client.query('INSERT INTO saved VALUES ($1)', [round * 10])));
      see(await attempt(client.query('SELECT 1')));
      await client.query('ROLLBACK TO s');
      await client.query('INSERT INTO saved VALUES ($1)', [round * 10 + 1]);
      await client.query(round === 1 ? 'ROLLBACK' : 'COMMIT');
      see(await attempt(client.query('SELECT * FROM saved ORDER BY id')));
    }
    const notices = [];
    client.on('notice', (notice) => notices.push(notice.message));
    await client.query("DO $$ BEGIN RAISE NOTICE 'told'; END $$");
    see(notices);
  });
}

export async function notifications(way, see) {
  await connected(way, async (listener) => {
    const heard = [];
    listener.on('notification', (news) => heard.push([news.channel, news.payload]));
    await listener.query('LISTEN node_news');
    await connected(way, async (teller) => {
      for (let i = 0; i < 10; i++) {
        await teller.query('SELECT pg_notify($1, $2)', ['node_news', `n${i}`]);
      }
    });
    while (heard.length < 10) {
      await once(listener, 'notification');
    }
    see(heard);
    see(await attempt(listener.query('SELECT $1::int AS afterwards', [1])));
  });
}

export async function settingsOfTheClient(way, see) {
  const client = new pg.Client({ ...way, application_name: 'from node', options: '-c work_mem=6MB -c search_path=pg_catalog', statement_timeout: 400, lock_timeout: 300 });
  await client.connect();
  for (let i = 0; i < 4; i++) {
    see(await attempt(client.query("SELECT current_setting('application_name') a, current_setting('work_mem') w, current_setting('search_path') s, current_setting('statement_timeout') t, current_setting('lock_timeout') l")));
  }
  see(await attempt(client.query('SELECT pg_sleep(10)')));
  see(await attempt(client.query({ name: 'after', text: 'SELECT $1::int AS afterwards', values: [1] })));
  await client.end();
}
