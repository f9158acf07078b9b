// VERSION: the one command that needs neither a configuration nor the rest of the program.

import { newestVersion, supportedVersions } from './versions.ts';

/** Prints the versions that are spoken, CNI SPEC 1.1 §2 "VERSION". */
export function printVersions(): void {
	// Runtimes ask every plugin before each command, and node:fs takes longer to load than all of this.
	// oxlint-disable-next-line no-console
	console.log(JSON.stringify({ cniVersion: newestVersion, supportedVersions }, undefined, 4));
}
