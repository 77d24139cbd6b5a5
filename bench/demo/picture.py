"""A picture of a run: put rate over time, the two windows, the moments of change. Plain SVG."""

from xml.sax.saxutils import escape

MIB = 1 << 20
WIDTH, HEIGHT = 960, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 40, 50


def smooth(points, window_s):
    """Mean over the past window_s: the rate has the period of the compaction cycle."""
    result, start, total = [], 0, 0.0
    for index, (when, value) in enumerate(points):
        total += value
        while points[start][0] < when - window_s:
            total -= points[start][1]
            start += 1
        result.append((when, total / (index - start + 1)))
    return result


def draw(path, series, windows, changes, title):
    """series: [(s, bytes/s)]; windows: [(from, to, label, mean)]; changes: [(s, label)]."""
    end = max(point[0] for point in series)
    top = 1.1 * max(max(p[1] for p in smooth(series, 15)), max(w[3] for w in windows)) / MIB

    def x(when):
        return LEFT + (WIDTH - LEFT - RIGHT) * when / end

    def y(mib):
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(mib, top) / top)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for start, stop, label, mean in windows:
        out.append(
            f'<rect x="{x(start):.1f}" y="{TOP}" width="{x(stop) - x(start):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}" fill="#e8eef6"/>'
        )
        out.append(
            f'<line x1="{x(start):.1f}" x2="{x(stop):.1f}" y1="{y(mean / MIB):.1f}" '
            f'y2="{y(mean / MIB):.1f}" stroke="#b03a2e" stroke-width="2"/>'
        )
        out.append(
            f'<text x="{x(start) + 4:.1f}" y="{TOP + 14}">{escape(label)}: '
            f"{mean / MIB:.1f} MiB/s</text>"
        )
    step = 5 if top > 12 else 2 if top > 5 else 1
    tick = 0
    while tick <= top:
        out.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" '
            'stroke="#dddddd" stroke-width="0.5"/>'
            f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>'
        )
        tick += step
    for when in range(0, int(end) + 1, 60):
        out.append(
            f'<text x="{x(when):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{when}</text>'
        )
    points = " ".join(f"{x(when):.1f},{y(value / MIB):.1f}" for when, value in smooth(series, 15))
    out.append(f'<polyline points="{points}" fill="none" stroke="#1f5fa8" stroke-width="1.5"/>')
    for when, label in changes:
        out.append(
            f'<line x1="{x(when):.1f}" x2="{x(when):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" '
            'stroke="#555555" stroke-dasharray="3,3"/>'
            f'<text x="{x(when) + 3:.1f}" y="{HEIGHT - BOTTOM - 6}">{escape(label)}</text>'
        )
    out.append(
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">seconds; put rate in MiB/s, '
        "mean of 15 s; dashed: a change of settings</text></svg>"
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
