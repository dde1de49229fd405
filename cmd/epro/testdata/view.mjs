// Runs a view of MongoDB with a program that is not MongoDB and not ours, and
// prints its documents, one a line, as JSON. The first argument is the folder
// that mingo is installed in, the second the view's pipeline, the third a
// collection's documents, both as Extended JSON. Where the pipeline says "from",
// that collection is meant.
//
// mingo runs a $lookup that has a pipeline on the whole collection, without
// regard to localField and foreignField. So those are put before its pipeline
// here, as the condition that MongoDB's manual says they are.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const [folder, pipelineFile, documentsFile] = process.argv.slice(2)
const { Aggregator } = createRequire(path.join(folder, 'package.json'))('mingo')

// Extended JSON's words for what JSON has no words for.
function plain(key, v) {
  if (v === null || typeof v !== 'object') return v
  if ('$date' in v) return new Date(v.$date)
  if ('$oid' in v) return v.$oid
  for (const word of ['$numberInt', '$numberLong', '$numberDouble']) if (word in v) return Number(v[word])
  return v
}

const read = (file) => JSON.parse(readFileSync(file, 'utf8'), plain)
const { responses } = read(pipelineFile)
for (const { $lookup } of responses.filter((stage) => '$lookup' in stage)) {
  const { localField, foreignField } = $lookup
  $lookup.let.local = '$' + localField
  $lookup.pipeline.unshift({ $match: { $expr: { $eq: ['$' + foreignField, '$$local'] } } })
}
const documents = read(documentsFile)
const view = new Aggregator(responses, { collectionResolver: () => documents, processingMode: 'CLONE_INPUT' })
for (const document of view.run(documents)) console.log(JSON.stringify(document))
