#!/usr/bin/env node
const words = process.argv.slice(2);
// Whoever reads only the beginning of the output, such as head, has seen enough.
process.stdout.on('error', (error: Error) => {
  if (!('code' in error) || error.code !== 'EPIPE') throw error;
  process.exit();
});
if (words[0] === 'completion' && words[1] === 'values') {
  const { runValues } = await import('./completion-values.ts');
  await runValues(words);
} else {
  const { runProgram } = await import('./program.ts');
  await runProgram(words);
}
