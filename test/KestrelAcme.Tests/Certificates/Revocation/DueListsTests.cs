using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Tests.Certificates.Scheduling;
using KestrelAcme.Tests.Tls;
using Xunit;
using DueLists = KestrelAcme.Certificates.Revocation.RevocationWatcher.DueLists;

namespace KestrelAcme.Tests.Certificates.Revocation;

public sealed class DueListsTests
{
    private static readonly Uri One = new("http://ca.test/one.crl");
    private static readonly Uri Two = new("http://ca.test/two.crl");
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Urls_SomeCertificates_ReturnsThoseOfTheValidOnes()
        => Assert.Equal(
            [One, Two],
            DueLists.Urls(
                [
                    Certificate("a.test", One),
                    Certificate("b.test", Two),
                    Certificate("c.test", new("http://ca.test/old.crl"), expired: true),
                    Certificate("d.test", null),
                ],
                Now).OrderBy(u => u.AbsoluteUri));

    [Fact]
    public void Gather_OneListIsDue_ReturnsOnlyItsCertificates()
    {
        var lists = DueLists.Gather(
            [Certificate("a.test", One), Certificate("b.test", Two), Certificate("c.test", One)], new HashSet<Uri> { One }, Now);

        var (list, certificates) = Assert.Single(lists);
        Assert.Equal(One, list.Url);
        Assert.Equal(["a.test", "c.test"], certificates.Select(c => c.Id));
    }

    [Fact]
    public void Gather_TwoIssuersNameOneList_ReturnsAGroupForEach()
    {
        var other = Certificate("b.test", One);
        var record = other.Current!.Record;
        other.Current = other.Current with
        {
            Record = new CertificateRecord([record.Chain[0], new TestAuthority().Intermediate.RawData], record.PrivateKey, record.Metadata),
        };

        var lists = DueLists.Gather([Certificate("a.test", One), other, Certificate("c.test", One)], new HashSet<Uri> { One }, Now);

        Assert.Equal(["a.test c.test", "b.test"], lists.Select(l => string.Join(' ', l.Certificates.Select(c => c.Id))));
        Assert.NotEqual(lists[0].List, lists[1].List);
    }

    private static ManagedCertificate Certificate(string name, Uri? list, bool expired = false)
    {
        var end = expired ? Now.AddDays(-1) : Now.AddDays(30);
        var current = SampleCertificates.Snapshot(name, end.AddDays(-90), end) with { RevocationListUrl = list };
        return new(SampleCertificates.Specification(name)) { Current = current };
    }
}
