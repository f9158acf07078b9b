// The result as Markdown, with what one has to know of the machine.

import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import type { Competitor } from './competitors.ts';
import { type Figure, isMet, type Row } from './results.ts';

export interface Machine {
	readonly kernel: string;
	readonly processor: string;
	readonly cores: number;
	readonly memoryGB: number;
	/** Of the last minute, before the benchmark. */
	readonly load: number;
}

/** Asked before anything is measured, since measuring is load. */
export function describeMachine(): Machine {
	return {
		kernel: release(),
		processor: cpus()[0]?.model.trim() ?? 'unknown',
		cores: availableParallelism(),
		memoryGB: Math.round(totalmem() / 1e9),
		load: loadavg()[0] ?? Number.NaN,
	};
}

/** The competitors are ours, the reference, and others of ours. */
export function formatReport(machine: Machine, competitors: readonly Competitor[], rows: readonly Row[]): string {
	const [ours, reference, ...others] = competitors.map(({ title, version }) => `${title} (${version})`);
	const header = ['', ours, reference, 'ratio', 'target', ...others.flatMap((title) => [title, 'ratio'])];
	const missed = rows.filter((row) => isMet(row) === false).map(({ title }) => title);
	return [
		`Kernel ${machine.kernel}, ${machine.cores} cores (${machine.processor}), ${machine.memoryGB} GB, ` +
			`load ${machine.load.toFixed(2)} at the start.`,
		...(machine.load > machine.cores / 2
			? ['The machine had other work: the milliseconds mean little, and the ratios less than usual.']
			: []),
		'Medians with quartiles; ratios of medians.',
		'',
		...formatTable([header.map((cell) => cell ?? ''), ...rows.map(formatRow)]),
		'',
		missed.length === 0 ? 'All targets are met.' : `Missed: ${missed.join('; ')}.`,
	].join('\n');
}

function formatRow(row: Row): string[] {
	const [ours, reference, ...others] = row.figures.map((figure) => formatFigure(figure, row.unit));
	const [ratio, , ...otherRatios] = row.figures.map((figure) => figure.ratio.toFixed(2));
	const verdict = row.target === undefined ? '' : `at most ${row.target}: ${isMet(row) ? 'met' : '**MISSED**'}`;
	const otherCells = others.flatMap((figure, index) => [figure, otherRatios[index] ?? '']);
	return [row.title, ours ?? '', reference ?? '', ratio ?? '', verdict, ...otherCells];
}

function formatFigure({ lower, median, upper }: Figure, unit: string): string {
	return `${median.toFixed(1)} ${unit} (${lower.toFixed(1)}–${upper.toFixed(1)})`;
}

/** Pads the cells, so that the table can be read as it is. */
function formatTable(lines: readonly (readonly string[])[]): string[] {
	const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
	const [header = '', ...body] = lines.map(
		(line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
	);
	return [header, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body];
}
