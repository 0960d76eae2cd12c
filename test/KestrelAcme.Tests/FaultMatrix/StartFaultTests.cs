using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>What goes wrong before the first request of an order, in a process that serves what an earlier one obtained.</summary>
public sealed class StartFaultTests
{
    private const int Always = int.MaxValue;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Faults => new()
    {
        { "refused", "127.0.0.1 refused the connection" },
        { "untrusted", "TrustedRootsPath" },
        { "directory reset", "broke before the whole response arrived" },
        { "directory silent", "did not answer" },
        { "directory 404", "404" },
        { "directory 500", "500" },
        { "directory no JSON", "JSON" },
        { "directory HTML", "text/html" },
        { "directory endless", "larger than" },
        { "nonce 500", "nonce" },
        { "nonce missing", "Replay-Nonce" },
        { "account 500", "500" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Renew_Fault_IsTheAuthoritysFailureAndTheOldCertificateIsServed(string fault, string words)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("app.test");
        string serial;
        await using (var first = await fixture.StartAppAsync(
            settings, configure: builder => builder.Services.AddSingleton(FaultMatrixSettings.Answering)))
        {
            await first.ObtainedAsync("app.test");
            serial = first.Certificates.Find("app.test")!.SerialNumber!;
            await first.StopAsync(Cancelled);
        }

        await BreakAsync(fixture, settings, fault);
        var times = fault == "directory silent" ? FaultMatrixSettings.Hanging : FaultMatrixSettings.Answering;
        await using var second = await AcmeApp.StartAsync(
            settings, configure: builder => builder.Services.AddSingleton(times), cancellationToken: Cancelled);
        var exception = await Assert.ThrowsAsync<CertificateException>(() => second.Certificates.RenewAsync("app.test", Cancelled));

        Assert.Equal(
            (CertificateState.Waiting, FailureCause.Authority), (second.Certificates.Find("app.test")!.State, exception.Failure.Cause));
        Assert.Contains("app.test", exception.Message, StringComparison.Ordinal);
        Assert.Contains(words, exception.Failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(serial, (await second.ConnectAsync("app.test", Cancelled)).SerialNumber);
    }

    private static async Task BreakAsync(LocalFixture fixture, Dictionary<string, string?> settings, string fault)
    {
        var faults = fixture.Authority.Faults;
        switch (fault)
        {
            case "refused":
                settings["AcmeHttps:DirectoryUrl"] = $"https://127.0.0.1:{FreePort.Tcp()}/directory";
                break;
            case "untrusted":
                await using (var other = await LocalFixture.StartAsync())
                {
                    await File.WriteAllTextAsync(fixture.RootPath, other.Authority.RootPem, Cancelled);
                }

                break;
            case "account 500":
                faults.LoseAccounts();
                faults.Inject(ResourceKind.NewAccount, Fault.Problem("serverInternal", 500, "Broken."), Always);
                break;
            case "nonce 500":
                faults.Inject(ResourceKind.NewNonce, Fault.Problem("serverInternal", 500, "Broken."), Always);
                break;
            case "nonce missing":
                faults.Inject(ResourceKind.NewNonce, Fault.MissingNonce, Always);
                break;
            default:
                faults.Inject(ResourceKind.Directory, OfTheDirectory(fault), Always);
                break;
        }
    }

    private static Fault OfTheDirectory(string fault) => fault switch
    {
        "directory reset" => Fault.CutBefore,
        "directory silent" => Fault.NoAnswer,
        "directory 404" => Fault.Problem("malformed", (int)HttpStatusCode.NotFound, "Gone."),
        "directory 500" => Fault.Problem("serverInternal", 500, "Broken."),
        "directory no JSON" => Fault.NotJson,
        "directory HTML" => Fault.WrongContentType,
        _ => Fault.EndlessBody,
    };
}
