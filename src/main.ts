// Picks the role: CNI plugin or command line. What a role needs is loaded in one piece when it is picked.

import { print } from '#print';
import { versionAnswer } from './cni/version-command.ts';

async function main(): Promise<number> {
	switch (process.env['CNI_COMMAND'] ?? '') {
		case '': {
			const { runCommandLine } = await import('./cli/command-line.ts');
			return runCommandLine(process.argv.slice(2));
		}
		case 'VERSION':
			print(versionAnswer());
			return 0;
		default:
			return serveCall();
	}
}

/** The link by which the file is called says which plugin it is. */
async function serveCall(): Promise<number> {
	if (process.argv0.endsWith('-ipam')) {
		const { serveIpam } = await import('./serve-ipam.ts');
		return serveIpam();
	}
	const { serveBridge } = await import('./serve-bridge.ts');
	return serveBridge();
}

process.exitCode = await main();
