// What is wrong with a value that somebody wrote, and where.

/** Keys and list positions from the outside to the value. */
export type Path = readonly (string | number)[];

export interface Problem {
	readonly path: Path;
	/** What is wrong, as the end of a sentence that begins with the path: `"9.0.0.0" is no IPv4 subnet`. */
	readonly wrong: string;
	/** What would be right. */
	readonly right: string;
	/** The key itself is wrong, not its value. */
	readonly isKey?: boolean;
}

/** A problem as messages tell it: `overlays[1].prefix: 31 is too long; write a number from 16 to 29`. */
export function formatProblem({ path, wrong, right }: Problem): string {
	return `${formatPath(path)}: ${wrong}; ${right}`;
}

/** A path as people write it: `dcos_overlay_network.overlays[1].prefix`. */
function formatPath(path: Path): string {
	const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
	return text.replace(/^\./, '');
}
