using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.LocalAuthority.Faults;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>Each fault of each step, over HTTP, while an old certificate is served.</summary>
public abstract class FaultMatrixTests<TGroup>(
    FaultMatrixFixture<TGroup> fixture, ITestOutputHelper output) : IClassFixture<FaultMatrixFixture<TGroup>>
    where TGroup : IFaultGroup
{
    public static TheoryData<string> Names => [.. FaultGroups.Of<TGroup>().Select(c => c.Name)];

    private protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Renew_Fault_SucceedsOrIsReportedWhileTheOldCertificateIsServed(string fault)
    {
        var expected = FaultCases.All.Single(c => c.Name == fault);
        var name = FaultMatrixFixture<TGroup>.NameOf(expected);
        var before = await fixture.App.ConnectAsync(name, Cancelled);
        expected.Arrange(fixture.Local.Authority, name);
        try
        {
            var exception = await Record.ExceptionAsync(() => fixture.App.Certificates.RenewAsync(name, Cancelled));
            var status = fixture.App.Certificates.Find(name)!;
            output.WriteLine($"{status.State} {status.Failure?.Cause} {exception?.Message}");
            Assert.Equal(expected.State, status.State);
            await AssertServedAsync(name, before.SerialNumber, renewed: expected.State == CertificateState.Valid);
            if (expected.State != CertificateState.Valid)
            {
                AssertReported(name, expected, status.Failure!, Assert.IsType<CertificateException>(exception));
            }
        }
        finally
        {
            fixture.Clear();
        }
    }

    private async Task AssertServedAsync(string name, string before, bool renewed)
    {
        var after = await fixture.App.ConnectAsync(name, Cancelled);
        Assert.Equal(renewed, after.SerialNumber != before);
        Assert.True(after.Leaf.MatchesHostname(name));
    }

    private static void AssertReported(string name, FaultCase expected, CertificateFailure failure, CertificateException exception)
    {
        Assert.Equal(expected.Cause, failure.Cause);
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        foreach (var words in expected.Words)
        {
            Assert.Contains(words, failure.Message, StringComparison.OrdinalIgnoreCase);
        }
    }
}

public sealed class NewOrderFaultTests(FaultMatrixFixture<NewOrderFaults> fixture, ITestOutputHelper output)
    : FaultMatrixTests<NewOrderFaults>(fixture, output);

public sealed class AuthorizationFaultTests(FaultMatrixFixture<AuthorizationFaults> fixture, ITestOutputHelper output)
    : FaultMatrixTests<AuthorizationFaults>(fixture, output);

public sealed class ChallengeFaultTests(FaultMatrixFixture<ChallengeFaults> fixture, ITestOutputHelper output)
    : FaultMatrixTests<ChallengeFaults>(fixture, output);

public sealed class FinalizeFaultTests(FaultMatrixFixture<FinalizeFaults> fixture, ITestOutputHelper output)
    : FaultMatrixTests<FinalizeFaults>(fixture, output);

public sealed class CertificateFaultTests(FaultMatrixFixture<CertificateFaults> fixture, ITestOutputHelper output)
    : FaultMatrixTests<CertificateFaults>(fixture, output);

public sealed class HangingFaultTests(FaultMatrixFixture<HangingFaults> fixture, ITestOutputHelper output)
    : FaultMatrixTests<HangingFaults>(fixture, output);

public sealed class OtherFaultTests(
    FaultMatrixFixture<OtherFaults> fixture, ITestOutputHelper output) : FaultMatrixTests<OtherFaults>(fixture, output)
{
    private readonly FaultMatrixFixture<OtherFaults> _fixture = fixture;

    [Fact]
    public async Task Renew_TheAuthoritysClockIsRightAgain_OrdersAtOnce()
    {
        var name = FaultMatrixFixture<OtherFaults>.LastName;
        _fixture.Local.Authority.Faults.DateOffset = TimeSpan.FromHours(-3);

        // The first answer tells the time, and is that of the order where nothing else was asked before.
        var exception = await Record.ExceptionAsync(() => _fixture.App.Certificates.RenewAsync(name, Cancelled))
            ?? await Record.ExceptionAsync(() => _fixture.App.Certificates.RenewAsync(name, Cancelled));
        Assert.Equal(FailureCause.Local, Assert.IsType<CertificateException>(exception).Failure.Cause);
        Assert.Contains("3 hours ahead of the clock of", exception.Message, StringComparison.Ordinal);
        _fixture.Clear();

        Assert.Equal(CertificateState.Valid, (await _fixture.App.Certificates.RenewAsync(name, Cancelled)).State);
    }

    [Fact]
    public async Task Renew_TheCertificateIsWrong_CountsAsIssued()
    {
        var name = FaultMatrixFixture<OtherFaults>.LastName;
        var certificate = _fixture.App.Services.GetRequiredService<CertificateCatalog>().Find(name)!;
        var before = certificate.State.Issued!.Length;
        // Not just once: names that were blocked may be ordered meanwhile, and take it.
        _fixture.Local.Authority.Faults.IssueWrongCertificate(WrongCertificate.OtherKey, int.MaxValue);

        await Assert.ThrowsAsync<CertificateException>(() => _fixture.App.Certificates.RenewAsync(name, Cancelled));
        _fixture.Clear();

        Assert.Equal(before + 1, certificate.State.Issued!.Length);
    }
}
