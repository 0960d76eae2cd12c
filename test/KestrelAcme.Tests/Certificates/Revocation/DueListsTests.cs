using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Tests.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Revocation;

public sealed class DueListsTests
{
    private static readonly Uri One = new("http://ca.test/one.crl");
    private static readonly Uri Two = new("http://ca.test/two.crl");
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Urls_SomeCertificates_ThoseOfTheValidOnes()
        => Assert.Equal([One, Two], DueLists.Urls([Certificate("a.test", One), Certificate("b.test", Two), Certificate("c.test", new("http://ca.test/old.crl"), expired: true), Certificate("d.test", null)], Now).OrderBy(u => u.AbsoluteUri));

    [Fact]
    public void Gather_OneListIsDue_OnlyItsCertificatesInOneGroup()
    {
        var lists = DueLists.Gather([Certificate("a.test", One), Certificate("b.test", Two), Certificate("c.test", One)], new HashSet<Uri> { One }, Now);

        var (url, certificates) = Assert.Single(lists);
        Assert.Equal(One, url);
        Assert.Equal(["a.test", "c.test"], certificates.Select(c => c.Id));
    }

    private static ManagedCertificate Certificate(string name, Uri? list, bool expired = false)
    {
        var end = expired ? Now.AddDays(-1) : Now.AddDays(30);
        return new(SampleCertificates.Specification(name)) { Current = SampleCertificates.Snapshot(name, end.AddDays(-90), end) with { RevocationListUrl = list } };
    }
}
