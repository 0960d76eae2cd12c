using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using KestrelAcme.Certificates;

namespace KestrelAcme.Hosting.Status;

/// <summary>
/// Writes a page of the status as HTML that loads nothing and runs nothing: a strict Content-Security-Policy allows only its own style.
/// Everything that comes from outside is encoded.
/// </summary>
internal static class StatusHtml
{
    // Light and dark, and one column on a phone. The colors of text have a contrast of at least 4.5:1 in both.
    private const string Style = """
        :root{color-scheme:light dark;--text:#1b1b1f;--soft:#55555e;--back:#fff;--card:#f4f4f7;--line:#8c8c96;--life:#b9c4d6;--gone:#5d7399;
        --window:#2f7d32;--bad:#b3261e}
        @media(prefers-color-scheme:dark){:root{--text:#ececf1;--soft:#b3b3bd;--back:#131316;--card:#1f1f25;--line:#74747e;--life:#3a4557;
        --gone:#8aa4d0;--window:#7fce83;--bad:#ffb4ab}}
        body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);margin:0 auto;max-width:60rem;padding:1rem}
        h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.05rem;margin:0;overflow-wrap:anywhere}p{margin:.3rem 0}
        ol{list-style:none;margin:1rem 0;padding:0}li{background:var(--card);border-radius:.5rem;margin:.6rem 0;padding:.7rem 1rem}
        .soft{color:var(--soft);font-size:.9rem;overflow-wrap:anywhere}.bad{color:var(--bad);font-weight:600;overflow-wrap:anywhere}
        svg{display:block;width:100%;height:1rem;margin:.5rem 0}.life{fill:var(--life)}.gone{fill:var(--gone)}.window{fill:var(--window)}
        .next{fill:var(--text)}form{margin:.8rem 0}input,button{font:inherit;padding:.3rem .6rem;max-width:100%;box-sizing:border-box}
        a{color:inherit}nav a{display:inline-block;margin-right:1rem;padding:.3rem 0}a:focus-visible,input:focus-visible,
        button:focus-visible{outline:3px solid var(--gone);outline-offset:2px}
        """;

    /// <summary>The Content-Security-Policy of the page.</summary>
    public static string Policy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static string Write(StatusReport report, string? search)
    {
        var html = new StringBuilder("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
            .Append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Certificates</title><style>")
            .Append(Style).Append("</style></head><body><main><h1>Certificates</h1>");
        Line(html, "soft", $"{Count(report)} At {report.At:u}.");
        foreach (var notice in report.Notices)
        {
            Line(html, "bad", notice);
        }

        html.Append("<form method=\"get\" role=\"search\"><label>Name <input type=\"search\" name=\"name\" value=\"")
            .Append(Encoded(search)).Append("\"></label> <button>Search</button></form><ol>");
        foreach (var row in report.Certificates)
        {
            Row(html, row, report.At);
        }

        html.Append("</ol>");
        Pages(html, report, search);
        return html.Append("</main></body></html>").ToString();
    }

    private static string Count(StatusReport report)
        => report.NeedAttention == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{report.Total}, all fine.")
            : string.Create(CultureInfo.InvariantCulture, $"{report.Total}. Need attention: {report.NeedAttention}.");

    private static void Row(StringBuilder html, StatusRow row, DateTimeOffset now)
    {
        html.Append("<li><h2>").Append(Encoded(row.Id)).Append("</h2>");
        if (row.Names.Count > 1)
        {
            Line(html, "soft", string.Join(", ", row.Names));
        }

        if (row.Problem is not null)
        {
            Line(html, "bad", $"Needs attention: {row.Problem}.");
        }

        if (row.Failure is not null)
        {
            Line(html, row.Problem is null ? "soft" : null, $"The last attempt failed at {row.FailedAt:u}: {row.Failure}");
        }

        var times = Times(row, now);
        Bar(html, row, now, times);
        Line(html, null, times);
        if (row.SerialNumber is not null)
        {
            var authority = row.Authority ?? "a CA that is not known any more";
            Line(html, "soft", $"Issued by {row.Issuer} ({authority}), serial number {row.SerialNumber}.");
        }

        html.Append("</li>");
    }

    private static string Times(StatusRow row, DateTimeOffset now)
    {
        var expiry = row.NotAfter is not { } end ? "No certificate yet"
            : end <= now ? $"Expired {Span(now - end)} ago ({end:u})"
            : $"Expires in {Span(end - now)} ({end:u})";
        var next = row.NextOrder is not { } order ? "no order is planned"
            : order <= now ? "the next order is due"
            : $"next order in {Span(order - now)} ({order:u})";
        return $"{Words(row.State)}. {expiry}; {next}.";
    }

    private static string Words(CertificateState state) => state switch
    {
        CertificateState.RenewalDue => "Renewal due",
        CertificateState.Waiting => "Waiting after a failure",
        _ => state.ToString(),
    };

    private static string Span(TimeSpan span)
        => span.TotalDays >= 2 ? Plural((int)span.TotalDays, "day")
            : span.TotalHours >= 2 ? Plural((int)span.TotalHours, "hour")
            : Plural((int)Math.Max(1, span.TotalMinutes), "minute");

    private static string Plural(int count, string unit)
        => string.Create(CultureInfo.InvariantCulture, $"{count} {unit}{(count == 1 ? "" : "s")}");

    // SVG needs no style attributes, which the policy forbids. The text below says the same.
    private static void Bar(StringBuilder html, StatusRow row, DateTimeOffset now, string description)
    {
        if (row is not { NotBefore: { } start, NotAfter: { } end } || end <= start)
        {
            return;
        }

        double At(DateTimeOffset time) => Math.Clamp((time - start) / (end - start), 0, 1) * 1000;
        void Rectangle(string style, double from, double to, int top, int height) => html.Append(
            CultureInfo.InvariantCulture,
            $"<rect class=\"{style}\" x=\"{from:0.#}\" y=\"{top}\" width=\"{to - from:0.#}\" height=\"{height}\"/>");

        html.Append("<svg viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"")
            .Append(Encoded(description)).Append("\">");
        Rectangle("life", 0, 1000, 4, 8);
        Rectangle("gone", 0, At(now), 4, 8);
        if (row is { WindowStart: { } from, WindowEnd: { } to } && to >= from)
        {
            Rectangle("window", At(from), Math.Max(At(to), At(from) + 3), 12, 4);
        }

        if (row.NextOrder is { } next)
        {
            var x = Math.Min(At(next), 996);
            Rectangle("next", x, x + 4, 0, 16);
        }

        html.Append("</svg>");
    }

    private static void Pages(StringBuilder html, StatusReport report, string? search)
    {
        if (report.Pages == 1)
        {
            return;
        }

        html.Append("<nav aria-label=\"Pages\"><p>").Append(
            CultureInfo.InvariantCulture, $"Page {report.Page} of {report.Pages}</p>");
        Link(report.Page > 1, report.Page - 1, "Previous");
        Link(report.Page < report.Pages, report.Page + 1, "Next");
        html.Append("</nav>");

        void Link(bool exists, int page, string text)
        {
            if (exists)
            {
                var name = string.IsNullOrEmpty(search) ? "" : $"&name={Uri.EscapeDataString(search)}";
                html.Append("<a href=\"").Append(Encoded(string.Create(CultureInfo.InvariantCulture, $"?page={page}{name}"))).Append("\">")
                    .Append(text).Append("</a>");
            }
        }
    }

    private static void Line(StringBuilder html, string? style, FormattableString text)
        => Line(html, style, text.ToString(CultureInfo.InvariantCulture));

    private static void Line(StringBuilder html, string? style, string text)
        => html.Append(style is null ? "<p>" : $"<p class=\"{style}\">").Append(Encoded(text)).Append("</p>");

    private static string Encoded(string? text) => HtmlEncoder.Default.Encode(text ?? "");
}
