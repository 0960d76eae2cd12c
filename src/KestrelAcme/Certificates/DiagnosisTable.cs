using System.Globalization;
using System.Text;

namespace KestrelAcme.Certificates;

/// <summary>Writes a report for people: a section for the app, each CA and each name, with aligned columns. Pure.</summary>
internal static class DiagnosisTable
{
    // With more names, those without a problem get a line each.
    private const int MostNamesInFull = 20;

    private const string Indent = "  ";
    private const string FixLabel = "fix:";

    public static string Write(DiagnosisReport report)
    {
        var sections = report.Findings.GroupBy(f => f.Name ?? "").ToList();
        var isLong = sections.Count > MostNamesInFull;
        var width = report.Findings.Select(f => f.Check.Length).Append(FixLabel.Length).Max();
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"KestrelAcme doctor, {report.At:u}");
        foreach (var section in sections)
        {
            text.AppendLine().AppendLine(section.Key.Length == 0 ? "This app" : section.Key);
            if (isLong && section.Key.Length > 0 && section.All(f => f.Level == DiagnosisLevel.Ok))
            {
                Line(text, Word(DiagnosisLevel.Ok), "all".PadRight(width), string.Join(", ", section.Select(f => f.Check)));
                continue;
            }

            foreach (var finding in section)
            {
                Line(text, Word(finding.Level), finding.Check.PadRight(width), finding.Message);
                if (finding.Fix is { } fix)
                {
                    Line(text, "", FixLabel.PadRight(width), fix);
                }
            }
        }

        text.AppendLine();
        if (report.NamesNotExamined > 0)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{Count(report.NamesNotExamined, "more name")} not examined.");
        }

        var fine = report.Findings.Count - report.Errors - report.Warnings;
        return text.AppendLine(
            $"{Count(report.Errors, "error")}, {Count(report.Warnings, "warning")}, {fine.ToString(CultureInfo.InvariantCulture)} fine. "
            + "Nothing was ordered.").ToString();
    }

    private static void Line(StringBuilder text, string level, string check, string message)
        => text.Append(Indent).Append(level.PadRight(Word(DiagnosisLevel.Warning).Length)).Append(Indent).Append(check).Append(Indent)
            .AppendLine(message);

    private static string Word(DiagnosisLevel level) => level switch
    {
        DiagnosisLevel.Error => "ERROR",
        DiagnosisLevel.Warning => "WARNING",
        _ => "ok",
    };

    private static string Count(int count, string noun)
        => string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
