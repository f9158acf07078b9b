// VERSION: the one command that needs neither a configuration nor the rest of the program.

import { newestVersion, supportedVersions } from './versions.ts';

/** The answer, CNI SPEC 1.1 §2 "VERSION". Runtimes ask every plugin for it before each command. */
export function versionAnswer(): string {
	return JSON.stringify({ cniVersion: newestVersion, supportedVersions }, undefined, 4);
}
