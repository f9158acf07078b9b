// The result as Markdown, with what one has to know of the machine.

import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { run } from '../build/run.ts';
import type { Section } from './group.ts';
import { type Figure, isMet, type Row, type Target } from './rows.ts';

export interface Machine {
	readonly kernel: string;
	readonly processor: string;
	readonly cores: number;
	readonly memoryGB: number;
	/** Of the last minute, before the benchmark. */
	readonly load: number;
	/** Where the leases lie: the directory, and the type of its file system. */
	readonly directory: string;
	readonly fileSystem: string;
}

/** Asked before anything is measured, since measuring is load. Throws a BuildError when there is no such directory. */
export function describeMachine(directory: string): Machine {
	return {
		kernel: release(),
		processor: cpus()[0]?.model.trim() ?? 'unknown',
		cores: availableParallelism(),
		memoryGB: Math.round(totalmem() / 1e9),
		load: loadavg()[0] ?? Number.NaN,
		directory,
		fileSystem: fileSystemOf(directory),
	};
}

/** Of several that are mounted on each other, the uppermost, which comes last. */
function fileSystemOf(directory: string): string {
	const types = run('findmnt', ['--noheadings', '--output', 'FSTYPE', '--target', directory]).trim().split('\n');
	return types.at(-1) ?? 'unknown';
}

/** What all figures have in common. */
export function formatMachine({ kernel, processor, cores, memoryGB, load, directory, fileSystem }: Machine): string {
	return [
		`Kernel ${kernel}, ${cores} cores (${processor}), ${memoryGB} GB, load ${load.toFixed(2)} at the start; ` +
			`leases in ${directory} (${fileSystem}).`,
		...(load > cores / 2
			? ['The machine had other work: the milliseconds mean little, and the ratios less than usual.']
			: []),
		'Medians with quartiles; ratios of medians.',
	].join('\n');
}

/** The table of a group. Its competitors are ours, the references, and others of ours. */
export function formatSection(title: string, { competitors, rows }: Section): string {
	const columns = competitors.map(({ title: name, version, role }) => ({ role, cells: [`${name} (${version})`] }));
	const header = arrange(
		columns.map(({ role, cells }) => ({ role, cells: role === 'ours' ? cells : [...cells, 'ratio'] })),
		'target',
	);
	return [`## ${title}`, '', ...formatTable([['', ...header], ...rows.map(formatRow)])].join('\n');
}

function formatRow(row: Row): string[] {
	const columns = row.figures.map((figure) => {
		const { competitor, ratio } = figure;
		const cells = [formatFigure(figure, row.unit), ...(ratio === undefined ? [] : [ratio.toFixed(2)])];
		return { role: competitor.role, cells };
	});
	const verdict = row.target === undefined ? '' : formatTarget(row.target, row.unit, isMet(row) === true);
	return [row.title, ...arrange(columns, verdict)];
}

/** Puts the target behind the references. */
function arrange(
	columns: readonly { readonly role: string; readonly cells: readonly string[] }[],
	target: string,
): string[] {
	const cellsOf = (isWanted: (role: string) => boolean): string[] =>
		columns.filter(({ role }) => isWanted(role)).flatMap(({ cells }) => cells);
	return [...cellsOf((role) => role !== 'other'), target, ...cellsOf((role) => role === 'other')];
}

function formatTarget({ of, bound, value }: Target, unit: string, met: boolean): string {
	const what = of === 'ratio' ? `ratio ${bound} ${value}` : `${bound} ${value} ${unit}`;
	return `${what}: ${met ? 'met' : '**MISSED**'}`;
}

function formatFigure({ lower, median, upper }: Figure, unit: string): string {
	const digits = unit === '×' ? 2 : unit === '/s' ? 0 : 1;
	return `${median.toFixed(digits)} ${unit} (${lower.toFixed(digits)}–${upper.toFixed(digits)})`;
}

/** Pads the cells, so that the table can be read as it is. */
function formatTable(lines: readonly (readonly string[])[]): string[] {
	const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
	const [header = '', ...body] = lines.map(
		(line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
	);
	return [header, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body];
}
