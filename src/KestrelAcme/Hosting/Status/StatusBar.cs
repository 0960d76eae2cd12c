using System.Globalization;
using System.Text;

namespace KestrelAcme.Hosting.Status;

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
