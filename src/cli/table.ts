// Tables for a terminal.

/** Rows under their headings, in columns two spaces apart; each line ends with a newline. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
	const lines = [headings, ...rows];
	const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
	return lines
		.map(
			(line) =>
				`${line
					.map((cell, column) => cell.padEnd(widths[column] ?? 0))
					.join('  ')
					.trimEnd()}\n`,
		)
		.join('');
}

const UNITS = [
	{ seconds: 86_400, name: 'd' },
	{ seconds: 3600, name: 'h' },
	{ seconds: 60, name: 'm' },
] as const;

/** A length of time in its largest unit and the next smaller: `3d 4h`, `5m 10s`, `7s`. */
export function formatAge(seconds: number): string {
	const whole = Math.max(0, Math.floor(seconds));
	const at = UNITS.findIndex((unit) => whole >= unit.seconds);
	const unit = UNITS[at];
	if (unit === undefined) return `${whole}s`;
	const smaller = UNITS[at + 1] ?? { seconds: 1, name: 's' };
	const rest = Math.floor((whole % unit.seconds) / smaller.seconds);
	return `${Math.floor(whole / unit.seconds)}${unit.name}${rest === 0 ? '' : ` ${rest}${smaller.name}`}`;
}
