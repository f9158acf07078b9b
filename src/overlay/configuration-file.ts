// The configuration as a YAML file: read whole, with the line and column of everything that is wrong.

import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { decodeConfiguration, type OverlayConfiguration } from './configuration.ts';
import { findProblems, type UsedSubnet } from './configuration-rules.ts';
import { configurationShape, findShapeProblems } from './configuration-shape.ts';
import { applyInstallerKeys, type ConfigurationFile, findInstallerProblems, NETWORKS_KEY } from './installer-keys.ts';
import { formatProblem, type Problem } from './problem.ts';

/** A configuration that cannot be used; the message has a line for each problem: `overlay.yaml:7:15: …`. */
export class ConfigurationError extends Error {
	override readonly name = 'ConfigurationError';
	readonly code = 'configuration';
	/** The lines of the message. */
	readonly problems: readonly string[];

	constructor(problems: readonly string[]) {
		super(problems.join('\n'));
		this.problems = problems;
	}
}

/**
 * Reads the text of a file, `path` being its name for messages. The subnets of its networks must not overlap those that
 * are `used`. Throws ConfigurationError with all that is wrong.
 */
export function readConfiguration(text: string, path: string, used: readonly UsedSubnet[]): OverlayConfiguration {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
	const place = (offset: number): string => {
		const { line, col } = lines.linePos(offset);
		return `${path}:${line}:${col}`;
	};
	if (document.errors.length > 0) {
		throw new ConfigurationError(document.errors.map(({ pos, message }) => `${place(pos[0])}: ${message}`));
	}
	const file = decodeYaml(document, path);
	const problems = [...findNetworksProblems(file[NETWORKS_KEY], used), ...findInstallerProblems(file)];
	if (problems.length === 0) return decodeConfiguration(applyInstallerKeys(file));
	const located = problems.map((problem) => ({ problem, offset: offsetOf(document, problem) }));
	throw new ConfigurationError(
		located
			.toSorted((one, other) => one.offset - other.offset)
			.map(({ problem, offset }) => `${place(offset)}: ${formatProblem(problem)}`),
	);
}

function findNetworksProblems(value: unknown, used: readonly UsedSubnet[]): Problem[] {
	const path = [NETWORKS_KEY];
	if (value !== undefined)
		return [...findShapeProblems(configurationShape, value, path), ...findProblems(value ?? {}, path, used)];
	const right = `write ${NETWORKS_KEY}: with vtep_subnet, vtep_mac_oui and overlays below it`;
	return [{ path, wrong: 'is missing', right }];
}

/** The keys of the file; none when it is no object. Throws ConfigurationError. */
function decodeYaml(document: Document, path: string): ConfigurationFile {
	try {
		const value: unknown = document.toJS();
		return typeof value === 'object' && value !== null ? (value as ConfigurationFile) : {};
	} catch (error) {
		// An alias without an anchor, or so many of them that nobody means it.
		throw new ConfigurationError([`${path}: ${error instanceof Error ? error.message : String(error)}`]);
	}
}

/** Where a problem is in the text: at the key or value, or at the object in which it is missing. */
function offsetOf(document: Document, { path, isKey }: Problem): number {
	let node: unknown = document.contents;
	let offset = 0;
	for (const [depth, step] of path.entries()) {
		if (isAlias(node)) node = node.resolve(document);
		const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
		const found = isSeq(node) ? node.items[Number(step)] : pair?.value;
		const place = isKey && depth === path.length - 1 ? pair?.key : found;
		if (isNode(place)) offset = place.range?.[0] ?? offset;
		node = found;
	}
	return offset;
}
