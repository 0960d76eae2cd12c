using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Hosting.Doctor;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Doctor;

public sealed class HostVerdictsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private static readonly AuthoritySpecification Authority = new()
    {
        Id = "ca",
        DisplayName = "TheCA",
        DirectoryUrl = new Uri("https://ca.example/directory"),
        IsPublic = true,
    };

    private static readonly ConfigurationSnapshot Snapshot = new() { StoragePath = "/data", Authorities = [Authority] };

    [Theory]
    [InlineData("AcmeHttps:DomainNames:0 = 'x:y': is a URL, not a name.", "Write 'x'.")]
    [InlineData("AcmeHttps:DomainNames:0 = 'x. y. z': is more than one name.", "Write each name as an element of the list.")]
    [InlineData("AcmeHttps:Foo: is not a known key.", "Remove it. Known keys: DomainNames, Enabled.")]
    [InlineData("AcmeHttps:SelfChek: is not a known key.", "Did you mean 'SelfCheck'?")]
    public void Invalid_Problems_AreSplitIntoMessageAndFix(string message, string fix)
    {
        var finding = Assert.Single(HostVerdicts.Invalid([$"{message} {fix}"]));

        Assert.Equal((message, fix, DiagnosisLevel.Error), (finding.Message, finding.Fix, finding.Level));
    }

    [Theory]
    [InlineData(true, true, true, false, DiagnosisLevel.Ok)]
    [InlineData(true, false, true, false, DiagnosisLevel.Error)]
    [InlineData(false, false, true, false, DiagnosisLevel.Error)]
    [InlineData(true, true, false, false, DiagnosisLevel.Error)]
    [InlineData(true, true, false, true, DiagnosisLevel.Warning)]
    public void Store_Health_IsJudged(bool readable, bool writable, bool durable, bool allowed, DiagnosisLevel level)
    {
        var explanation = level == DiagnosisLevel.Ok ? null : "The folder is in memory. Mount a volume.";
        var finding = HostVerdicts.Store(
            new StorageHealth(readable, writable, durable, "/data", explanation), Snapshot with { AllowEphemeralStorage = allowed });

        Assert.Equal(level, finding.Level);
        Assert.Equal(level == DiagnosisLevel.Ok ? null : "Mount a volume.", finding.Fix);
    }

    [Theory]
    [InlineData("700", 0, DiagnosisLevel.Ok)]
    [InlineData("755", 0, DiagnosisLevel.Ok)]
    [InlineData("755", 3, DiagnosisLevel.Warning)]
    [InlineData("777", 0, DiagnosisLevel.Error)]
    [InlineData("770", 0, DiagnosisLevel.Error)]
    public void Access_Mode_IsJudged(string mode, int readable, DiagnosisLevel level)
        => Assert.Equal(
            level,
            HostVerdicts.Access("/data", (UnixFileMode)Convert.ToInt32(mode, 8), [.. Enumerable.Repeat("/data/a.pem", readable)]).Level);

    [Theory]
    [InlineData(0, DiagnosisLevel.Ok)]
    [InlineData(-59, DiagnosisLevel.Ok)]
    [InlineData(120, DiagnosisLevel.Warning)]
    [InlineData(-120, DiagnosisLevel.Warning)]
    [InlineData(7200, DiagnosisLevel.Error)]
    public void Skew_Seconds_AreJudged(int seconds, DiagnosisLevel level)
        => Assert.Equal(level, HostVerdicts.Skew(Authority, TimeSpan.FromSeconds(seconds)).Level);

    [Fact]
    public void Skew_Large_SaysHowFarAndInWhichDirection()
    {
        Assert.Equal(
            "This machine's clock is 3 minutes behind the CA's.", HostVerdicts.Skew(Authority, TimeSpan.FromMinutes(-3)).Message);
        Assert.StartsWith(
            "This machine's clock is 2 days ahead of the CA's.", HostVerdicts.Skew(Authority, TimeSpan.FromDays(2)).Message,
            StringComparison.Ordinal);
        Assert.Equal(DiagnosisLevel.Warning, HostVerdicts.Skew(Authority, null).Level);
    }

    [Fact]
    public void Reached_TermsNotAccepted_IsAnError()
    {
        var meta = new AcmeDirectoryMeta { TermsOfService = "https://ca.example/terms" };

        Assert.Contains(Reached(meta, hasAccount: false), f => f is { Check: HostVerdicts.Account, Level: DiagnosisLevel.Error });
        Assert.All(Reached(meta, hasAccount: true), f => Assert.Equal(DiagnosisLevel.Ok, f.Level));
    }

    [Fact]
    public void Reached_BindingMissing_IsAnError()
        => Assert.Contains(
            Reached(new AcmeDirectoryMeta { ExternalAccountRequired = true }, hasAccount: false),
            f => f is { Check: HostVerdicts.Account, Level: DiagnosisLevel.Error });

    [Fact]
    public void Reached_ProfileNotOffered_IsAnError()
        => Assert.Contains(
            Reached(new AcmeDirectoryMeta { Profiles = new Dictionary<string, string> { ["classic"] = "" } }, hasAccount: true, "short"),
            f => f is { Level: DiagnosisLevel.Error, Message: "The CA does not offer the profile 'short'." });

    [Theory]
    [InlineData(AcmeUnreachableReason.NotConnected, "firewall")]
    [InlineData(AcmeUnreachableReason.NameNotResolved, "DNS resolver")]
    [InlineData(AcmeUnreachableReason.CertificateNotTrusted, "AcmeHttps:TrustedRootsPath")]
    [InlineData(AcmeUnreachableReason.CertificateNotTimeValid, "clock")]
    public void Unreached_Reason_HasItsFix(AcmeUnreachableReason reason, string word)
    {
        var finding = HostVerdicts.Unreached(Authority, new AcmeUnreachableException("It failed.") { Reason = reason });

        Assert.Equal((DiagnosisLevel.Error, "It failed."), (finding.Level, finding.Message));
        Assert.Contains(word, finding.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void Pace_Tokens_AreHeadRoom()
    {
        Assert.Equal(
            "12 of 50 new certificates can be ordered now.",
            HostVerdicts.Pace(Authority, new PaceFacts { Tokens = 12.7, Capacity = 50 }, Now).Message);
        Assert.Equal(
            DiagnosisLevel.Warning,
            HostVerdicts.Pace(Authority, new PaceFacts { Tokens = 0.5, Capacity = 50, NextToken = TimeSpan.FromSeconds(20) }, Now).Level);
        Assert.Equal(
            DiagnosisLevel.Warning,
            HostVerdicts.Pace(Authority, new PaceFacts { Tokens = 50, HeldUntil = Now.AddHours(1) }, Now).Level);
        Assert.Equal(
            DiagnosisLevel.Error, HostVerdicts.Pace(Authority, new PaceFacts { Tokens = 50, Blocked = "The account is gone." }, Now).Level);
    }

    [Fact]
    public void Certificate_Failed_QuotesTheFailure()
    {
        var status = new CertificateStatus
        {
            Id = "a.example",
            DomainNames = ["a.example"],
            State = CertificateState.Blocked,
            Failure = new() { Message = "CAA forbids it.", At = Now, NextAttempt = Now.AddDays(1), Cause = FailureCause.Operator },
        };

        var finding = HostVerdicts.Certificate(status, CertificateProblems.Blocked, null, Now);

        Assert.Equal(DiagnosisLevel.Error, finding.Level);
        Assert.EndsWith("CAA forbids it.", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Certificate_AtALimit_IsAWarning()
    {
        var status = new CertificateStatus { Id = "a.example", DomainNames = ["a.example"], State = CertificateState.Missing };

        Assert.Equal(
            DiagnosisLevel.Warning, HostVerdicts.Certificate(status, CertificateProblems.Missing, Now.AddDays(2), Now).Level);
        Assert.Equal(DiagnosisLevel.Ok, HostVerdicts.Certificate(status, CertificateProblems.Missing, null, Now).Level);
    }

    [Theory]
    [InlineData("3.0.22", "Not offered: that takes OpenSSL 3.5 or later, and this is 3.0.22.")]
    [InlineData("3.5.0", "X25519MLKEM768 is offered (OpenSSL 3.5.0).")]
    [InlineData("4.0.1", "X25519MLKEM768 is offered (OpenSSL 4.0.1).")]
    public void KeyExchange_Version_Decides(string version, string message)
        => Assert.Equal(message, HostVerdicts.KeyExchange(Version.Parse(version)).Message);

    [Fact]
    public void Endpoints_NoHttps_IsAnError()
        => Assert.Contains(
            ServerVerdicts.Endpoints(new ServerFacts { Addresses = ["http://[::]:80"] }),
            f => f is { Check: ServerVerdicts.Https, Level: DiagnosisLevel.Error });

    [Fact]
    public void Endpoints_NoHttp_IsAnErrorOnlyIfItIsNeeded()
    {
        var server = new ServerFacts { Addresses = ["https://[::]:443"], AnyIsOurs = true, NeedsPort80 = true };

        Assert.Contains(ServerVerdicts.Endpoints(server), f => f is { Check: ServerVerdicts.Http, Level: DiagnosisLevel.Error });
        Assert.All(ServerVerdicts.Endpoints(server with { NeedsPort80 = false }), f => Assert.Equal(DiagnosisLevel.Ok, f.Level));
    }

    [Fact]
    public void Endpoints_CertificatesHidden_IsAnError()
        => Assert.Contains(
            ServerVerdicts.Endpoints(new ServerFacts { Addresses = ["http://[::]:80", "https://[::]:443"], AnyIsOurs = false }),
            f => f.Level == DiagnosisLevel.Error && f.Fix!.Contains("UseAcmeHttps", StringComparison.Ordinal));

    [Fact]
    public void Endpoints_PortsBehindAMapping_AreFineWithAReminder()
        => Assert.Equal(
            [
                "Listens on https://[::]:8443; port 443 of the public address must lead there.",
                "Listens on http://[::]:8080; port 80 of the public address must lead there.",
            ],
            ServerVerdicts.Endpoints(
                new ServerFacts { Addresses = ["http://[::]:8080", "https://[::]:8443"], AnyIsOurs = true }).Select(f => f.Message));

    [Fact]
    public void Endpoints_NotBound_TellsTakenFromForbidden()
    {
        var findings = ServerVerdicts.Endpoints(new ServerFacts
        {
            Addresses = ["http://[::]:80", "https://[::]:443"],
            AnyIsOurs = true,
            NotBound = [(new IPEndPoint(IPAddress.Any, 80), true, "taken"), (new IPEndPoint(IPAddress.Any, 443), false, "denied")],
        }).ToList();

        Assert.Equal(
            [(ServerVerdicts.Http, DiagnosisLevel.Warning), (ServerVerdicts.Https, DiagnosisLevel.Error)],
            findings.Select(f => (f.Check, f.Level)));
    }

    [Fact]
    public void Loopback_WrongResponse_IsAnErrorUnlessAnotherProcessListens()
    {
        var endpoint = new IPEndPoint(IPAddress.Loopback, 80);
        var foreign = TokenProbeResult.Foreign("status 404");

        Assert.Equal(DiagnosisLevel.Ok, ServerVerdicts.Loopback(endpoint, TokenProbeResult.Ours, isOther: false).Level);
        Assert.Equal(DiagnosisLevel.Error, ServerVerdicts.Loopback(endpoint, foreign, isOther: false).Level);
        Assert.Equal(DiagnosisLevel.Warning, ServerVerdicts.Loopback(endpoint, foreign, isOther: true).Level);
    }

    [Fact]
    public void Handshake_Certificate_IsCompared()
    {
        var served = new ServedFacts { EndPoint = new IPEndPoint(IPAddress.Loopback, 443), Expected = ["AB"], SerialNumber = "AB" };

        Assert.Equal(DiagnosisLevel.Ok, ServerVerdicts.Handshake("a.example", served)!.Level);
        Assert.Equal(DiagnosisLevel.Error, ServerVerdicts.Handshake("a.example", served with { SerialNumber = "CD" })!.Level);
        Assert.Equal(
            DiagnosisLevel.Ok,
            ServerVerdicts.Handshake("a.example", served with { Expected = [], SerialNumber = "CD", IsSelfSigned = true })!.Level);
        Assert.Equal(
            DiagnosisLevel.Warning,
            ServerVerdicts.Handshake("a.example", served with { SerialNumber = null, Failure = "it was refused." })!.Level);
    }

    [Fact]
    public void Insistence_WhileAPlaceholderIsServed_IsAWarning()
    {
        Assert.Equal(DiagnosisLevel.Warning, ServerVerdicts.Insistence("a.example", hasCertificate: false, "max-age=1")!.Level);
        Assert.Null(ServerVerdicts.Insistence("a.example", hasCertificate: true, "max-age=1"));
        Assert.Null(ServerVerdicts.Insistence("a.example", hasCertificate: false, null));
    }

    private static List<DiagnosisFinding> Reached(AcmeDirectoryMeta meta, bool hasAccount, params string[] profiles)
        => [.. HostVerdicts.Reached(Authority, meta, profiles, Snapshot, hasAccount)];
}
