using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Protocol.Problems;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>The advice about a CA that cannot be reached names what failed.</summary>
public sealed class UnreachableAdviceTests
{
    [Theory]
    [InlineData(AcmeUnreachableReason.NotConnected, false, null)]
    [InlineData(AcmeUnreachableReason.TimedOut, false, null)]
    [InlineData(AcmeUnreachableReason.ConnectionLost, false, null)]
    [InlineData(AcmeUnreachableReason.ProxyFailed, false, null)]
    [InlineData(AcmeUnreachableReason.TlsFailed, false, null)]
    [InlineData(AcmeUnreachableReason.NameNotResolved, false, "AcmeHttps:DirectoryUrl")]
    [InlineData(AcmeUnreachableReason.CertificateNameMismatch, false, "AcmeHttps:DirectoryUrl")]
    [InlineData(AcmeUnreachableReason.CertificateNotTrusted, false, "set AcmeHttps:TrustedRootsPath")]
    [InlineData(AcmeUnreachableReason.CertificateNotTrusted, true, "into the file that AcmeHttps:TrustedRootsPath names")]
    [InlineData(AcmeUnreachableReason.CertificateNotTimeValid, true, "this machine's clock")]
    public void Classify_Unreachable_AdvisesAboutWhatFailed(AcmeUnreachableReason reason, bool hadRoots, string? advice)
    {
        var report = FailureClassifier.Classify(new AcmeUnreachableException("It failed.") { Reason = reason, HadTrustedRoots = hadRoots });

        Assert.Equal(FailureCause.Authority, report.Cause);
        Assert.StartsWith("It failed. ", report.Message, StringComparison.Ordinal);
        if (advice is not null)
        {
            Assert.Contains(advice, report.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.DoesNotContain("DirectoryUrl", report.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("TrustedRootsPath", report.Message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("AcmeClientOptions", report.Message, StringComparison.Ordinal);
    }
}
