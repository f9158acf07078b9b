// Prints without loading anything, in the Bun edition, where console.log is free and node:fs is not.

/** Writes a line to stdout. */
export function print(line: string): void {
	// oxlint-disable-next-line no-console
	console.log(line);
}
