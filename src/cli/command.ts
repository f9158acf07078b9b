// A command that an operator types: what it takes, and how its words are read.

import { parseArgs } from 'node:util';
import { suggest } from './suggestion.ts';

export interface Option {
	readonly type: 'string' | 'boolean';
	readonly short?: string;
	/** What stands for the value in the help; a `string` has one. */
	readonly value?: string;
	readonly about: string;
	readonly required?: boolean;
}

export type Options = Readonly<Record<string, Option>>;

/** The values that were given. */
export type Values<O extends Options> = {
	readonly [Name in keyof O]: O[Name]['type'] extends 'string' ? ValueOf<O[Name]> : boolean;
};

type ValueOf<O extends Option> = O extends { readonly required: true } ? string : string | undefined;

export interface Command<O extends Options = Options> {
	/** Its words: `leases import`. Of a group of commands, `leases`, the one named `list` may be called without its last. */
	readonly name: string;
	/** The one word that it needs besides options, as the help names it. */
	readonly operand?: string;
	/** One line. */
	readonly summary: string;
	/** What else there is to know, in lines of at most 100 characters. */
	readonly details: string;
	readonly options: O;
	/** Gives the exit status. What it throws with a `code` is told by its message; anything else is a defect. */
	run(values: Values<O>, operand: string): number | Promise<number>;
}

/** Gives a command its place in the table, where the types of its options do not matter any more. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
	return command;
}

/** Why a command was not done. */
export class CommandError extends Error {
	override readonly name = 'CommandError';
	readonly code = 'refused';
}

/** Words that are no call of a command. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
	readonly code = 'usage';
}

export const HELP: Options = { help: { type: 'boolean', short: 'h', about: 'this text' } };

/** A call of a command: its option --help, or what `run` takes. */
export type Call =
	| { readonly help: true }
	| { readonly help: false; readonly values: Values<Options>; readonly operand: string };

/** Reads the words after a command's name. Throws UsageError. */
export function readCall(command: Command, words: readonly string[]): Call {
	const options: Options = { ...command.options, ...HELP };
	// Not strict, since its own errors neither suggest anything nor have the option apart from the text.
	const { tokens } = parseArgs({
		args: [...words],
		options: Object.fromEntries(
			Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
		),
		strict: false,
		allowPositionals: true,
		tokens: true,
	});
	const values: Record<string, string | boolean | undefined> = {};
	const operands: string[] = [];
	for (const token of tokens) {
		if (token.kind === 'positional') operands.push(token.value);
		if (token.kind === 'option') values[token.name] = valueOf(command, options, token);
	}
	if (values['help'] === true) return { help: true };

	const missing = Object.entries(options).find(([name, { required }]) => required && values[name] === undefined);
	if (missing) throw usage(command, `option "--${missing[0]}" is missing`);
	const [operand = '', ...more] = operands;
	if (operand === '' && command.operand !== undefined) throw usage(command, `expected ${command.operand}`);
	const superfluous = command.operand === undefined ? operands : more;
	if (superfluous.length > 0) throw usage(command, `"${superfluous.join(' ')}" is too much`);
	for (const [name, { type }] of Object.entries(options)) if (type === 'boolean') values[name] ??= false;
	// Each has the type that its option says.
	return { help: false, values: values as Values<Options>, operand };
}

interface OptionToken {
	readonly name: string;
	readonly rawName: string;
	readonly value: string | undefined;
	readonly inlineValue: boolean | undefined;
}

function valueOf(command: Command, options: Options, token: OptionToken): string | boolean {
	const { name, rawName, value, inlineValue } = token;
	const option = Object.hasOwn(options, name) ? options[name] : undefined;
	if (option === undefined) {
		const known = Object.keys(options).map((each) => `--${each}`);
		throw usage(command, `unknown option "${rawName}"${suggest(rawName, known)}`);
	}
	if (option.type === 'boolean') {
		if (value !== undefined) throw usage(command, `option "${rawName}" takes no value, got "${value}"`);
		return true;
	}
	// An option that follows is not meant as the value.
	const isMissing = value === undefined || value === '' || (!inlineValue && value.startsWith('-'));
	if (isMissing) throw usage(command, `option "${rawName}" needs a value, ${option.value ?? ''}`);
	return value;
}

function usage(command: Command, problem: string): UsageError {
	return new UsageError(`${command.name}: ${problem}; "mesos-overlay ${command.name} --help" says more`);
}
