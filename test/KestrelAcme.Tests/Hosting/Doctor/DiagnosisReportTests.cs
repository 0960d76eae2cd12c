using System.Text.Json;
using KestrelAcme.Certificates;
using KestrelAcme.Hosting.Doctor;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Doctor;

public sealed class DiagnosisReportTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 26, 3, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void ToString_Findings_AreATableWithALineForEachFix()
    {
        var report = new DiagnosisReport
        {
            At = At,
            Findings =
            [
                DiagnosisFinding.Ok("storage", null, "/data is fine."),
                DiagnosisFinding.Warning("clock", "TheCA", "The clock is late.", "Use NTP."),
                DiagnosisFinding.Error("caa", "a.example", "CAA\nforbids it.", "Add a record."),
            ],
            NamesNotExamined = 1,
        };

        Assert.Equal(
            """
            KestrelAcme doctor, 2026-11-26 03:00:00Z

            This app
              ok       storage  /data is fine.

            TheCA
              WARNING  clock    The clock is late.
                       fix:     Use NTP.

            a.example
              ERROR    caa      CAA forbids it.
                       fix:     Add a record.

            1 more name not examined.
            1 error, 1 warning, 1 fine. Nothing was ordered.

            """,
            report.ToString(),
            ignoreLineEndingDifferences: true);
        Assert.Equal(1, DoctorHost.ExitCode(report));
        Assert.Equal(0, DoctorHost.ExitCode(report with { Findings = [.. report.Findings.Take(2)] }));
    }

    [Fact]
    public void ToString_ManyNames_ShowsOnlyProblemsInFull()
    {
        var findings = Enumerable.Range(0, 30).Select(i => DiagnosisFinding.Ok("dns", $"n{i}.example", "It leads here."))
            .Append(DiagnosisFinding.Error("dns", "bad.example", "It leads elsewhere.", "Change it."));

        var text = new DiagnosisReport { At = At, Findings = [.. findings] }.ToString();

        Assert.DoesNotContain("It leads here.", text, StringComparison.Ordinal);
        Assert.Contains("It leads elsewhere.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_Report_ComesBack()
    {
        var report = new DiagnosisReport { At = At, Findings = [DiagnosisFinding.Error("caa", "a.example", "No.", "Yes.")] };

        var json = JsonSerializer.Serialize(report);
        var back = JsonSerializer.Deserialize<DiagnosisReport>(json)!;

        Assert.Contains("\"Level\":\"Error\"", json, StringComparison.Ordinal);
        Assert.Equal(report.Findings, back.Findings);
        Assert.Equal((At, 1), (back.At, back.Errors));
    }

    [Fact]
    public async Task Run_CheckThatHangs_EndsAfterItsTime()
    {
        var time = new FakeTimeProvider();
        var hanging = new TaskCompletionSource<IReadOnlyList<DiagnosisFinding>>();

        var run = Checks.RunAsync("dns", "a.example", _ => hanging.Task, time, Cancelled);
        await time.WhenWaitingAsync(1, Cancelled);
        time.Advance(Checks.LongestCheck);
        var finding = Assert.Single(await run);

        Assert.Equal((DiagnosisLevel.Warning, "No result within 10 seconds."), (finding.Level, finding.Message));
        Assert.False(Checks.IsProblem(finding));
    }

    [Fact]
    public async Task Run_CheckThatThrows_IsAWarning()
    {
        var findings = await Checks.RunAsync(
            "dns", null, _ => throw new InvalidOperationException("Broken."), TimeProvider.System, Cancelled);

        Assert.Equal((DiagnosisLevel.Warning, "Broken."), (findings[0].Level, findings[0].Message));
    }

    [Theory]
    [InlineData(true, "app", "--acme-doctor")]
    [InlineData(true, "app", "--ACME-Doctor", "--urls", "http://+:80")]
    [InlineData(false, "app", "acme-doctor")]
    [InlineData(false, "app")]
    public void IsRequested_CommandLine_NeedsTheArgument(bool expected, params string[] arguments)
        => Assert.Equal(expected, DoctorServiceCollectionExtensions.IsRequested(arguments));
}
