/** A text after a heading, broken between words into lines of at most `width` characters that begin below its first word. */
export function wrapWords(heading: string, text: string, width = 100): string[] {
  const lines: string[] = [];
  let line = heading;
  for (const word of text.split(' ')) {
    if (line.length > heading.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(heading.length);
    }
    line += line.length === heading.length ? word : ` ${word}`;
  }
  return [...lines, line];
}
