// Reads the configuration file of the virtual networks from the disk.

import { readFileSync } from 'node:fs';
import { systemCode } from '../linux/errno.ts';
import type { OverlayConfiguration } from '../overlay/configuration.ts';
import { ConfigurationError, readConfiguration } from '../overlay/configuration-file.ts';
import { hostNetworks } from './host-networks.ts';

const WHY: Readonly<Record<string, string>> = {
	ENOENT: 'there is no such file',
	EISDIR: 'it is a directory',
	EACCES: 'permission denied',
};

/** The configuration in a file. Throws ConfigurationError with all that is wrong, also when the file cannot be read. */
export function readConfigurationFile(
	path: string,
	{ besideHost }: { /** Whether to compare it with the networks of this host. */ readonly besideHost: boolean },
): OverlayConfiguration {
	let text: string;
	try {
		text = readFileSync(path, 'utf8');
	} catch (error) {
		const code = systemCode(error);
		if (code === undefined) throw error;
		throw new ConfigurationError([`reading the configuration "${path}": ${WHY[code] ?? code}`]);
	}
	return readConfiguration(text, path, besideHost ? hostNetworks() : []);
}
