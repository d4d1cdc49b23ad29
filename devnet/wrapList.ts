/** Items separated by commas after a heading, broken into lines of at most `width` characters that begin below the first item. */
export function wrapList(heading: string, items: readonly string[], width = 100): string[] {
  const lines: string[] = [];
  let line = heading;
  for (const [index, item] of items.entries()) {
    const text = index === items.length - 1 ? item : `${item},`;
    const isFirstOfLine = line.length === heading.length;
    if (!isFirstOfLine && line.length + 1 + text.length > width) {
      lines.push(line);
      line = ' '.repeat(heading.length);
    }
    line += line.length === heading.length ? text : ` ${text}`;
  }
  return [...lines, line];
}
