// Reads the files named on the command line with programs that are not ours and
// prints every cell, one row a line, as JSON: null, a number, or a text. Dates
// are days and instants milliseconds, from 1970. The first argument is the
// folder that the programs are installed in, the second the schema.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, schemaFile, ...files] = process.argv.slice(2)
const require = createRequire(path.join(folder, 'package.json'))
const { parquetMetadataAsync, parquetReadObjects, asyncBufferFromFile } =
  await import(pathToFileURL(path.join(folder, 'node_modules/hyparquet/src/node.js')))
const Ajv = require('ajv/dist/2019').default
const DatasetJson = require('js-stream-dataset-json').default

const valid = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')))

function show(reader, file, columns, rows) {
  console.log(JSON.stringify({ reader, file, columns }))
  for (const row of rows) console.log(JSON.stringify(row))
}

function plain(v, type) {
  if (v === null || v === undefined) return null
  if (typeof v === 'bigint') return Number(v)
  if (v instanceof Date) return type === 'DATE' ? v.getTime() / 86400000 : v.getTime()
  return v
}

for (const name of files) {
  if (name.endsWith('.parquet')) {
    const file = await asyncBufferFromFile(name)
    const metadata = await parquetMetadataAsync(file)
    const leaves = metadata.schema.slice(1)
    const rows = Number(metadata.num_rows) === 0 ? [] : await parquetReadObjects({ file })
    show('hyparquet', name, leaves.map((l) => l.name), rows.map((r) => leaves.map((l) => plain(r[l.name], l.converted_type ?? l.logical_type?.type))))
    continue
  }
  const whole = JSON.parse(readFileSync(name, 'utf8'))
  if (!valid(whole)) throw new Error(name + ': ' + JSON.stringify(valid.errors))
  if (whole.records !== whole.rows.length) throw new Error(`${name}: records ${whole.records}, rows ${whole.rows.length}`)
  const stream = new DatasetJson(name)
  const metadata = await stream.getMetadata()
  const rows = whole.records === 0 ? [] : await stream.getData({ start: 0, length: whole.records + 1, type: 'array' })
  show('js-stream-dataset-json', name, metadata.columns.map((c) => c.name), rows)
}
