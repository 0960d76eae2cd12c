using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using KestrelAcme.Certificates;

namespace KestrelAcme.Hosting.Status;

/// <summary>
/// Writes a page of the status as HTML. It is complete without its script, loads nothing from elsewhere, and encodes everything that comes
/// from outside.
/// </summary>
internal sealed class StatusHtml
{
    private const string Icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 26 26'%3E%3Crect width='26' "
        + "height='26' rx='7' fill='%231d58c7'/%3E%3Cpath d='M8 13.5l3.5 3.5L18 9.5' fill='none' stroke='white' stroke-width='2.6'/%3E"
        + "%3C/svg%3E";

    private const string Logo = "<svg viewBox=\"0 0 26 26\" aria-hidden=\"true\">"
        + "<rect class=\"plate\" width=\"26\" height=\"26\" rx=\"7\"/>"
        + "<path class=\"sign\" d=\"M9.5 12V9.5a3.5 3.5 0 0 1 7 0V12M8 12h10v7H8zM13 14.8v1.6\"/></svg>";

    // A page stays below 60 KB even if all its certificates fail, in whatever language: each row has room for what it always shows, and
    // the rest of the room goes to what comes first, which is the most urgent.
    private const int MostForRows = 53_000;
    private const int RowSize = 1_450;
    private const int SmallFailure = 250;
    private const int RoomForEvents = 3_000;
    private const int RoomForSections = 14_000;
    private const int MostEvents = 3;
    private const int LongestEvent = 120;
    private const int Shortest = 60;
    private static readonly int[] NameLengths = [200, Shortest];
    private static readonly int[] FailureLengths = [500, 250, Shortest];
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder _html = new(16 * 1024);
    private readonly StatusReport _report;
    private readonly StatusView _view;

    // Bytes of the rows that are not written yet, and of letters that take several.
    private int _reserved;
    private int _wide;
    private int Room => MostForRows - _html.Length - _wide - _reserved;

    private StatusHtml(StatusReport report, StatusView view) => (_report, _view) = (report, view);

    /// <summary>Writes the page.</summary>
    public static string Write(StatusReport report, StatusView view)
    {
        var page = new StatusHtml(report, view);
        page.Head();
        page.Summary();
        page.Search();
        page.Certificates();
        StatusSections.Pages(page._html, report, view);
        StatusSections.Write(page._html, report, isRoomy: page.Room > RoomForSections).Append("</main></body></html>");
        return page._html.ToString();
    }

    private void Head()
    {
        var title = _report.NeedAttention == 0 ? "Certificates"
            : string.Create(CultureInfo.InvariantCulture, $"({_report.NeedAttention}) Certificates");
        _html.Append("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,")
            .Append("initial-scale=1\"><title>").Append(title).Append("</title><link rel=\"icon\" href=\"").Append(Icon)
            .Append("\"><style>").Append(StatusAssets.Style).Append("</style>");
        if (_view.ScriptUrl is not null)
        {
            _html.Append("<script defer src=\"").Append(Encoded(_view.ScriptUrl)).Append("\" nonce=\"").Append(Encoded(_view.Nonce))
                .Append("\"></script>");
        }

        _html.Append("</head><body><main><header>").Append(Logo).Append("<div><h1>Certificates</h1>");
        Line("soft", $"{_view.Host} · {_report.At.UtcDateTime:d MMMM yyyy, HH:mm} UTC");
        _html.Append("</div></header>");
        StatusSections.Renewal(_html, _view.Renewal);
        _html.Append("<p id=\"live\" class=\"note\" role=\"status\" hidden></p>");
    }

    private void Summary()
    {
        _html.Append("<div id=\"summary\">");
        foreach (var notice in _report.Notices)
        {
            Line("note warn", notice);
        }

        _html.Append("<dl class=\"tiles\">");
        Tile(null, _view.Search is null ? "Managed" : "Found", Number(_report.Total));
        Tile(_report.NeedAttention == 0 ? "ok" : "bad", "Need attention", Number(_report.NeedAttention));
        Tile(null, "Being ordered", Number(_report.InProgress));
        Tile(null, "Next order", _report.NextOrder is { } next ? $"in {StatusBar.Span(next - _report.At)}" : "none planned");
        _html.Append("</dl></div>");

        static string Number(int count) => count == 0 ? "none" : count.ToString("N0", CultureInfo.InvariantCulture);

        void Tile(string? style, string name, string value)
            => _html.Append(style is null ? "<div>" : $"<div class=\"{style}\">").Append("<dt>").Append(name).Append("</dt><dd>")
                .Append(value).Append("</dd></div>");
    }

    private void Search()
        => _html.Append("<form class=\"find\" method=\"get\" role=\"search\"><label for=\"name\">Find a name</label>")
            .Append("<input type=\"search\" id=\"name\" name=\"name\" maxlength=\"300\" autocomplete=\"off\" spellcheck=\"false\" value=\"")
            .Append(Encoded(_view.Search)).Append("\"><button>Search</button></form>");

    // One form for all: the button that was chosen says which certificate is meant.
    private void Certificates()
    {
        _html.Append("<form id=\"list\" method=\"post\">");
        if (_view.Token is { } token)
        {
            _html.Append("<input type=\"hidden\" name=\"").Append(Encoded(token.Name)).Append("\" value=\"").Append(Encoded(token.Value))
                .Append("\">");
        }

        if (_report.Certificates.Count == 0)
        {
            Line(
                "card",
                _view.Search is null ? "No certificates are managed. List names in AcmeHttps:DomainNames, or add them at run time."
                    : $"No certificate has a name with '{_view.Search}'.");
        }

        _html.Append("<ol>");
        _reserved = _report.Certificates.Sum(SizeOf);
        for (var i = 0; i < _report.Certificates.Count; i++)
        {
            Row(_report.Certificates[i], i);
            _reserved -= SizeOf(_report.Certificates[i]);
        }

        _html.Append("</ol></form>");
    }

    private void Row(StatusRow row, int number)
    {
        var isBusy = StatusAdvice.IsInProgress(row.State);
        var kind = row.Problem is not null ? "k-bad"
            : isBusy || row.State == CertificateState.RenewalDue ? "k-info"
            : row.Failure is not null ? "k-warn"
            : row.State == CertificateState.Valid ? "k-ok" : "";
        _html.Append("<li class=\"card ").Append(kind).Append(isBusy ? " busy" : "").Append("\"><div class=\"top\"><h2 id=\"name")
            .Append(number).Append("\">").Append(Encoded(row.Id)).Append("</h2><span class=\"state\">")
            .Append(StatusAdvice.Words(row.State)).Append("</span>");
        if (_view.Token is not null && _report.Orders && !isBusy)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<button id=\"renew{number}\" aria-labelledby=\"renew{number} name{number}\" ")
                .Append("name=\"certificate\" value=\"").Append(Encoded(row.Id)).Append("\">Renew</button>");
        }

        _html.Append("</div>");
        if (row.Names.Count > 1)
        {
            _html.Append("<p class=\"soft wide\">").Append(Fit(string.Join(", ", row.Names), NameLengths)).Append("</p>");
        }

        Problem(row);
        StatusBar.Write(_html, row, _report.At);
        Facts(row);
        Details(row, number);
        _html.Append("</li>");
    }

    private void Problem(StatusRow row)
    {
        if (row.Problem is null && row.Advice is null && row.Failure is null)
        {
            return;
        }

        _html.Append("<div class=\"note ").Append(row.Problem is null ? "warn" : "bad").Append("\">");
        if (row.Problem is not null)
        {
            _html.Append("<p class=\"bad\"><strong>Needs attention: ").Append(Encoded(row.Problem)).Append("</strong></p>");
        }

        if (row.Advice is not null)
        {
            Line(null, row.Advice);
        }

        if (row.Failure is not null)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<p class=\"soft\">The last attempt failed at {row.FailedAt:u}: ")
                .Append(Fit(row.Failure, FailureLengths)).Append("</p>");
        }

        foreach (var record in row.RequiredRecords ?? [])
        {
            // A part of a record is of no use.
            if (Fit(record, [record.Length]) is not { } encoded)
            {
                Line("soft", $"Find {row.Id} to see all DNS records.");
                break;
            }

            _html.Append("<p><code>").Append(encoded).Append("</code></p>");
        }

        _html.Append("</div>");
    }

    private void Facts(StatusRow row)
    {
        _html.Append("<dl class=\"facts\">");
        Fact("<dt>Issued", row.NotBefore);
        if (row is { WindowStart: { } from, WindowEnd: { } to })
        {
            _html.Append("<div><dt class=\"w\">CA’s renewal window</dt><dd>").Append(
                CultureInfo.InvariantCulture, $"{from.UtcDateTime:d MMM} – {to.UtcDateTime:d MMM yyyy}</dd></div>");
        }

        Fact("<dt class=\"n\">Next order", row.NextOrder, none: "none planned", past: "due now");
        Fact("<dt>Expires", row.NotAfter, none: "no certificate yet");
        if (row.Issuer is not null)
        {
            var authority = row.Authority is null ? "a CA that is not known any more"
                : Uri.TryCreate(row.Authority, UriKind.Absolute, out var url) ? url.Authority : row.Authority;
            _html.Append("<div class=\"by\"><dt>Issued by</dt><dd>").Append(Encoded(StatusAdvice.ShortIssuer(row.Issuer)))
                .Append("<span class=\"soft\">").Append(Encoded(authority)).Append("</span></dd></div>");
        }

        _html.Append("</dl>");

        void Fact(string name, DateTimeOffset? time, string? none = null, string? past = null)
        {
            if (time is { } at)
            {
                var words = past is not null && at <= _report.At ? past : StatusBar.Relative(at, _report.At);
                _html.Append("<div>").Append(name).Append("</dt><dd>").Append(words).Append(
                    CultureInfo.InvariantCulture,
                    $"<time class=\"soft\" datetime=\"{at.UtcDateTime:s}Z\">{at.UtcDateTime:d MMM yyyy, HH:mm}</time></dd></div>");
            }
            else if (none is not null)
            {
                _html.Append("<div>").Append(name).Append("</dt><dd>").Append(none).Append("</dd></div>");
            }
        }
    }

    private void Details(StatusRow row, int number)
    {
        var events = row.Events.Take(Room > RoomForEvents ? MostEvents : 0).ToList();
        if (row.SerialNumber is null && events.Count == 0)
        {
            return;
        }

        _html.Append("<details id=\"more").Append(number).Append("\"><summary>").Append(events.Count > 0 ? "Last events" : "Details")
            .Append("</summary><ul>");
        foreach (var happened in events)
        {
            var at = happened.At.UtcDateTime;
            _html.Append(CultureInfo.InvariantCulture, $"<li><time class=\"soft\" datetime=\"{at:s}Z\">{at:d MMM HH:mm:ss}</time><span>")
                .Append(Fit(happened.Message, [LongestEvent])).Append("</span></li>");
        }

        _html.Append("</ul>");
        if (row.SerialNumber is not null)
        {
            _html.Append("<p class=\"soft\">Serial number <code>").Append(Encoded(row.SerialNumber)).Append("</code></p>");
        }

        _html.Append("</details>");
    }

    internal static string Short(string text, int most)
        => text.Length <= most ? text : $"{text.AsSpan(0, char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)}…";

    // What a row shows in any case.
    private static int SizeOf(StatusRow row)
        => RowSize + (row.Failure is null ? 0 : SmallFailure) + (4 * row.Id.Length) + (row.Advice?.Length ?? 0);

    /// <summary>Encodes a text, cut to the first of the lengths that there is room for. There always is for the shortest.</summary>
    /// <returns><see langword="null"/> if there is no room.</returns>
    private string? Fit(string text, ReadOnlySpan<int> lengths)
    {
        const int markup = 110;
        foreach (var most in lengths)
        {
            var encoded = Encoded(Short(text, most));
            var size = Encoding.UTF8.GetByteCount(encoded);
            if (size + markup <= Room || most == Shortest)
            {
                _wide += size - encoded.Length;
                return encoded;
            }
        }

        return null;
    }

    private void Line(string? style, FormattableString text) => Line(style, text.ToString(CultureInfo.InvariantCulture));

    private void Line(string? style, string text)
        => _html.Append(style is null ? "<p>" : $"<p class=\"{style}\">").Append(Encoded(text)).Append("</p>");

    internal static string Encoded(string? text) => Encoder.Encode(text ?? "");
}
