// The part of bun:ffi that the Bun edition uses; @types/bun would put Bun's globals into code that Node runs, too.

declare module 'bun:ffi' {
	type Argument = 'int' | 'u32' | 'u64' | 'i64' | 'ptr';
	interface Arguments {
		int: number;
		u32: number;
		u64: bigint;
		i64: bigint;
		ptr: NodeJS.TypedArray;
	}
	interface Returns {
		int: number;
		u32: number;
		ptr: number;
	}
	interface Signature {
		readonly args: readonly Argument[];
		readonly returns: keyof Returns;
	}
	type Symbols<T extends Record<string, Signature>> = {
		[K in keyof T]: (
			...args: { -readonly [I in keyof T[K]['args']]: Arguments[T[K]['args'][I]] }
		) => Returns[T[K]['returns']];
	};
	export function dlopen<const T extends Record<string, Signature>>(
		library: string,
		symbols: T,
	): { readonly symbols: Symbols<T> };
	export const read: { i32(pointer: number, offset: number): number };
}
