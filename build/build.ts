// Builds an edition of the executable and checks its start-up budget: `node build/build.ts [bun|pkg]`.

import { checkStartUp } from './budget.ts';
import { bunEdition } from './editions/bun.ts';
import { buildEdition, megabytes } from './editions/edition.ts';
import { BuildError, runScript } from './run.ts';

await runScript(async () => {
	const which = process.argv[2] ?? 'bun';
	if (which !== 'bun' && which !== 'pkg')
		throw new BuildError(`building the edition "${which}": expected bun or pkg`);
	const edition = which === 'bun' ? bunEdition() : (await import('./editions/pkg.ts')).pkgEdition();
	const executable = await buildEdition(edition);
	console.log(`built ${executable} (${edition.runtime}, ${megabytes(executable)})`);
	console.log(await checkStartUp(edition, executable));
});
