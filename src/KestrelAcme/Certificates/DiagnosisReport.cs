using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates;

/// <summary>
/// The result of <see cref="ICertificateManager.DiagnoseAsync"/>: what is fine, what is wrong, and how to fix it. Immutable, and suited for
/// JSON. <see cref="ToString"/> returns the table that <c>--acme-doctor</c> prints.
/// </summary>
public sealed record DiagnosisReport
{
    /// <summary>The time of the diagnosis.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The findings: those of the app first, then those of each CA, then those of each name.</summary>
    public required IReadOnlyList<DiagnosisFinding> Findings { get; init; }

    /// <summary>The number of names that were not examined, because there are too many.</summary>
    public int NamesNotExamined { get; init; }

    /// <summary>The number of findings of <see cref="DiagnosisLevel.Error"/>.</summary>
    public int Errors => Findings.Count(static f => f.Level == DiagnosisLevel.Error);

    /// <summary>The number of findings of <see cref="DiagnosisLevel.Warning"/>.</summary>
    public int Warnings => Findings.Count(static f => f.Level == DiagnosisLevel.Warning);

    /// <summary>Returns the report as a table for people, with a line for each finding and a line for each fix.</summary>
    public override string ToString() => DiagnosisTable.Write(this);

    /// <summary>Writes a report for people: a section for the app, each CA and each name, with aligned columns. Pure.</summary>
    private static class DiagnosisTable
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
                CultureInfo.InvariantCulture,
                $"{Count(report.Errors, "error")}, {Count(report.Warnings, "warning")}, {fine} fine. Nothing was ordered.").ToString();
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
}

/// <summary>What one check found. It contains no secrets.</summary>
/// <param name="Check">The check, such as <c>dns</c>. docs/doctor.md describes each.</param>
/// <param name="Name">The domain name, IP address or CA; <see langword="null"/> for the app as a whole.</param>
/// <param name="Level">How bad it is.</param>
/// <param name="Message">What was found.</param>
/// <param name="Fix">What to do; <see langword="null"/> if there is nothing to do.</param>
public sealed record DiagnosisFinding(string Check, string? Name, DiagnosisLevel Level, string Message, string? Fix)
{
    internal static DiagnosisFinding Ok(string check, string? name, string message) => Of(check, name, DiagnosisLevel.Ok, message, null);

    internal static DiagnosisFinding Warning(string check, string? name, string message, string fix)
        => Of(check, name, DiagnosisLevel.Warning, message, fix);

    internal static DiagnosisFinding Error(string check, string? name, string message, string fix)
        => Of(check, name, DiagnosisLevel.Error, message, fix);

    // A message quotes DNS, servers and CAs.
    private static DiagnosisFinding Of(string check, string? name, DiagnosisLevel level, string message, string? fix)
        => new(check, name, level, QuotedText.Words(message, MaxLength), fix is null ? null : QuotedText.Words(fix, MaxLength));

    private const int MaxLength = 1000;
}

/// <summary>How bad a <see cref="DiagnosisFinding"/> is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DiagnosisLevel>))]
public enum DiagnosisLevel
{
    /// <summary>Everything is in order.</summary>
    Ok,

    /// <summary>It may be wrong, or could not be checked from here.</summary>
    Warning,

    /// <summary>It is wrong: orders or connections fail until it is fixed.</summary>
    Error,
}
