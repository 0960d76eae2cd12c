using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>What an authority does wrong three times sends the order to the next one.</summary>
public sealed class FailoverTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string> Faults => ["unreachable", "503", "garbage", "wrong key"];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Renew_FirstAuthorityFailsThreeTimes_TheSecondIssues(string fault)
    {
        await using var first = await LocalFixture.StartAsync();
        await using var second = await LocalFixture.StartAsync();
        await using var app = await StartAsync(first, second);
        await app.ObtainedAsync("app.test");
        var before = await app.ConnectAsync("app.test", Cancelled);
        Break(first, fault);

        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));
            Assert.Equal(before.SerialNumber, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
            FaultMatrixSettings.ForgetOutage(app);
        }

        var renewed = await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.Equal(second.Authority.DirectoryUrl, renewed.DirectoryUrl);
        Assert.Equal(renewed.SerialNumber, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task Renew_FirstAuthorityAsksToWaitTooLong_TheSecondIssuesNext()
    {
        await using var first = await LocalFixture.StartAsync(o => o.Validity = TimeSpan.FromDays(6));
        await using var second = await LocalFixture.StartAsync();
        await using var app = await StartAsync(first, second);
        await app.ObtainedAsync("app.test");
        first.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.TooManyRequests(TimeSpan.FromDays(7)), int.MaxValue);

        var failed = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));
        var renewed = await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.Equal(AcmeProblemTypes.RateLimited, failed.Failure.ProblemType);
        Assert.InRange(failed.Failure.NextAttempt - failed.Failure.At, TimeSpan.Zero, TimeSpan.FromHours(2));
        Assert.Equal(second.Authority.DirectoryUrl, renewed.DirectoryUrl);
    }

    [Fact]
    public async Task Renew_FirstAuthorityAsksToWaitAndThereIsTime_TheWaitIsKept()
    {
        await using var first = await LocalFixture.StartAsync();
        await using var second = await LocalFixture.StartAsync();
        await using var app = await StartAsync(first, second);
        await app.ObtainedAsync("app.test");
        first.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.TooManyRequests(TimeSpan.FromDays(7)), int.MaxValue);

        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));
        var failed = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));

        Assert.InRange(failed.Failure.NextAttempt - failed.Failure.At, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7.1));
        Assert.Single(first.Authority.Requests, r => r is { Resource: ResourceKind.NewOrder, StatusCode: 429 });
        Assert.Empty(second.Authority.Issued);
    }

    private static void Break(LocalFixture first, string fault)
    {
        var faults = first.Authority.Faults;
        switch (fault)
        {
            case "unreachable":
                faults.Inject(null, Fault.CutBefore, int.MaxValue);
                break;
            case "503":
                faults.Inject(ResourceKind.NewOrder, Fault.Unavailable(), int.MaxValue);
                break;
            case "garbage":
                faults.Inject(ResourceKind.NewOrder, Fault.NotJson, int.MaxValue);
                break;
            default:
                faults.IssueWrongCertificate(WrongCertificate.OtherKey, int.MaxValue);
                break;
        }
    }

    private static Task<AcmeApp> StartAsync(LocalFixture first, LocalFixture second) => AcmeApp.StartAsync(
        Settings(first, second, "app.test"),
        configure: builder => builder.Services.AddSingleton(FaultMatrixSettings.Answering),
        cancellationToken: Cancelled);

    /// <summary>Settings with two authorities, which both find the name.</summary>
    internal static Dictionary<string, string?> Settings(LocalFixture first, LocalFixture second, string name)
    {
        var settings = first.Settings(name);
        settings.Remove("AcmeHttps:DirectoryUrl");
        settings.Remove("AcmeHttps:TrustedRootsPath");
        foreach (var (i, fixture) in new[] { first, second }.Index())
        {
            settings[$"AcmeHttps:Authorities:{i}:DirectoryUrl"] = fixture.Authority.DirectoryUrl.ToString();
            settings[$"AcmeHttps:Authorities:{i}:TrustedRootsPath"] = fixture.RootPath;
        }

        var port = FreePort.Tcp();
        settings["urls"] = $"http://127.0.0.1:{port};https://127.0.0.1:0";
        second.Authority.Resolve(name, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
        first.Authority.Resolve(name, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
        return settings;
    }
}
