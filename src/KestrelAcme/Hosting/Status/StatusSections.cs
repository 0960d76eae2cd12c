using System.Globalization;
using System.Text;

namespace KestrelAcme.Hosting.Status;

/// <summary>
/// Writes what the page has around the certificates: a renewal that was asked for, the accounts at the CAs, the names on demand, and links
/// to other pages. Pure.
/// </summary>
internal static class StatusSections
{
    // A page that is long already gets less of it.
    private const int FewNames = 2;
    private const int MostAccounts = 5;
    private const int LongestName = 100;
    private const int LongestReason = 120;

    /// <summary>Writes the sections that have something to say, and the footer.</summary>
    /// <returns>The same builder.</returns>
    public static StringBuilder Write(StringBuilder html, StatusReport report, bool isRoomy)
    {
        html.Append("<div id=\"below\">");
        OnDemand(html, report, isRoomy ? StatusDemand.MostNames : FewNames);
        Accounts(html, report);
        return html.Append("</div><footer class=\"soft\"><p>Times are in UTC.</p></footer>");
    }

    /// <summary>Writes what became of the renewal that was asked for.</summary>
    public static void Renewal(StringBuilder html, StatusRenewals.Renewal? renewal)
    {
        if (renewal is null)
        {
            return;
        }

        var (style, words) = renewal.Outcome switch
        {
            RenewalOutcome.Renewed => (" ok", " was renewed."),
            RenewalOutcome.InProgress => ("", " is being renewed."),
            RenewalOutcome.Refused => (" warn", " was not renewed."),
            _ => (" bad", " could not be renewed."),
        };
        html.Append("<div class=\"note").Append(style).Append("\" role=\"status\"><p><strong>")
            .Append(StatusHtml.Encoded(renewal.Certificate)).Append(words).Append("</strong></p><p>")
            .Append(StatusHtml.Encoded(renewal.Text)).Append("</p></div>");
    }

    /// <summary>Writes the links to other pages.</summary>
    public static void Pages(StringBuilder html, StatusReport report, StatusView view)
    {
        if (report.Pages == 1)
        {
            return;
        }

        html.Append("<nav aria-label=\"Pages\">");
        Link(report.Page > 1, report.Page - 1, "Previous");
        html.Append(CultureInfo.InvariantCulture, $"<span>Page {report.Page} of {report.Pages}</span>");
        Link(report.Page < report.Pages, report.Page + 1, "Next");
        html.Append("</nav>");

        void Link(bool exists, int page, string text)
        {
            if (exists)
            {
                html.Append("<a class=\"page\" href=\"").Append(StatusHtml.Encoded(StatusView.Query(page, view.Search))).Append("\">")
                    .Append(text).Append("</a>");
            }
        }
    }

    private static void OnDemand(StringBuilder html, StatusReport report, int most)
    {
        if (report.OnDemand is not { } demand)
        {
            return;
        }

        html.Append("<section id=\"on-demand\" class=\"card\"><h2>Names on demand</h2>");
        if (demand.Newest.Count == 0 && demand.Refused.Count == 0)
        {
            html.Append("<p class=\"soft\">No client has asked for one yet.</p>");
        }

        List(html, "newest", "Newest names", [.. demand.Newest.Take(most).Select(n => (n.FirstAsked, n.Name, ""))]);
        List(html, "refused", "Refused last", [.. demand.Refused.Take(most).Select(n => (n.At, n.Name, n.Reason))]);
        html.Append("</section>");
    }

    private static void List(StringBuilder html, string id, string title, IReadOnlyList<(DateTimeOffset At, string Name, string Why)> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        html.Append(CultureInfo.InvariantCulture, $"<details id=\"{id}\" open><summary>{title}</summary><ul>");
        foreach (var (at, name, why) in rows)
        {
            html.Append(CultureInfo.InvariantCulture, $"<li><time class=\"soft\" datetime=\"{at.UtcDateTime:s}Z\">")
                .Append(CultureInfo.InvariantCulture, $"{at.UtcDateTime:d MMM HH:mm:ss}</time><span><strong>")
                .Append(StatusHtml.Encoded(StatusHtml.Short(name, LongestName))).Append("</strong>");
            if (why.Length > 0)
            {
                html.Append(": ").Append(StatusHtml.Encoded(StatusHtml.Short(why, LongestReason)));
            }

            html.Append("</span></li>");
        }

        html.Append("</ul></details>");
    }

    // The accounts that ordered the certificates of this page: mostly one for each CA.
    private static void Accounts(StringBuilder html, StatusReport report)
    {
        var accounts = report.Certificates
            .Where(row => row.Account is not null)
            .Select(row => (row.Authority, row.Account))
            .Distinct()
            .Take(MostAccounts)
            .ToList();
        if (accounts.Count == 0)
        {
            return;
        }

        html.Append("<section class=\"card\"><details id=\"accounts\"><summary>Accounts</summary><ul>");
        foreach (var (authority, account) in accounts)
        {
            var host = Uri.TryCreate(authority, UriKind.Absolute, out var url) ? url.Authority : authority ?? "";
            html.Append("<li><span>").Append(StatusHtml.Encoded(host)).Append("</span><code>").Append(StatusHtml.Encoded(account))
                .Append("</code></li>");
        }

        html.Append("</ul></details></section>");
    }
}

/// <summary>Draws the lifetime of a certificate, and says how far away a time is. Pure.</summary>
/// <remarks>
/// Places are percentages, so that nothing is distorted at any width. SVG needs no style attributes, which the policy of the page forbids.
/// </remarks>
internal static class StatusBar
{
    private const double Narrowest = 0.6;

    /// <summary>
    /// Draws what is over, the window in which the CA advises to renew, the planned order, and now. The text beside it says the same.
    /// </summary>
    public static void Write(StringBuilder html, StatusRow row, DateTimeOffset now)
    {
        if (row is not { NotBefore: { } start, NotAfter: { } end } || end <= start)
        {
            return;
        }

        double At(DateTimeOffset time) => Math.Clamp((time - start) / (end - start), 0, 1) * 100;
        html.Append("<svg class=\"bar").Append(end <= now ? " over" : "").Append("\" aria-hidden=\"true\"><rect class=\"life\"/>")
            .Append(CultureInfo.InvariantCulture, $"<rect class=\"gone\" width=\"{At(now):0.##}%\"/>");
        if (row is { WindowStart: { } from, WindowEnd: { } to } && to >= from)
        {
            var width = Math.Max(At(to) - At(from), Narrowest);
            html.Append(CultureInfo.InvariantCulture, $"<rect class=\"window\" x=\"{At(from):0.##}%\" width=\"{width:0.##}%\"/>");
        }

        if (row.NextOrder is { } next)
        {
            html.Append(CultureInfo.InvariantCulture, $"<rect class=\"next\" x=\"{At(next):0.##}%\"/>");
        }

        html.Append(CultureInfo.InvariantCulture, $"<circle class=\"now\" cx=\"{At(now):0.##}%\"/></svg>");
    }

    /// <summary>Returns how far away a time is.</summary>
    public static string Relative(DateTimeOffset time, DateTimeOffset now)
        => time > now ? $"in {Span(time - now)}" : $"{Span(now - time)} ago";

    /// <summary>Returns a time span in its largest unit.</summary>
    public static string Span(TimeSpan span)
        => span.TotalDays >= 2 ? Plural((int)span.TotalDays, "day")
            : span.TotalHours >= 2 ? Plural((int)span.TotalHours, "hour")
            : Plural((int)Math.Max(1, span.TotalMinutes), "minute");

    private static string Plural(int count, string unit)
        => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {unit}{(count == 1 ? "" : "s")}");
}
