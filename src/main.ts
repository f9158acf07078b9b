// Picks the role: CNI plugin, IPAM plugin or command line. What a role needs is loaded when it is picked.

import { printVersions } from './cni/version-command.ts';

async function main(): Promise<number> {
	const command = process.env['CNI_COMMAND'] ?? '';
	if (command === '') {
		const { runCommandLine } = await import('./cli/command-line.ts');
		return runCommandLine(process.argv.slice(2));
	}
	if (command === 'VERSION') {
		printVersions();
		return 0;
	}
	const { dispatch } = await import('./cni/dispatch.ts');
	const { readStdin } = await import('./linux/standard-input.ts');
	// The link by which the file is called says which plugin it is.
	if (process.argv0.endsWith('-ipam')) {
		const { ipamPlugin } = await import('./ipam/plugin.ts');
		return dispatch(ipamPlugin, process.env, readStdin);
	}
	const { bridgePlugin } = await import('./bridge/plugin.ts');
	return dispatch(bridgePlugin, process.env, readStdin);
}

process.exitCode = await main();
