using KestrelAcme.Architecture.Tests.Metadata;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>
/// The state of a certificate decides what is ordered. One type changes it, in memory and in the store, so that the lease, the merge with
/// what other instances wrote, and the mark against a crash cannot be passed by.
/// </summary>
public sealed class StateRulesTests : IDisposable
{
    private const string Writer = "CertificateStateWriter";

    private readonly AssemblyMethods _product = new(Path.Combine(AppContext.BaseDirectory, "KestrelAcme.dll"));

    public void Dispose() => _product.Dispose();

    [Theory]
    [InlineData("ManagedCertificate", "ChangeState")]
    [InlineData("CertificateStore", "WriteStateAsync")]
    public void State_OfACertificate_IsWrittenByOneType(string type, string method)
        => Assert.Equal([Writer], _product.CallersOf(type, method).Distinct());

    /// <summary>Only tests set it: a change that another thread makes at the same time would be lost.</summary>
    [Fact]
    public void State_OfACertificate_IsChangedAndNeverSet() => Assert.Empty(_product.CallersOf("ManagedCertificate", "set_State"));

    [Fact]
    public void StateKey_InTheStore_IsWrittenByTheStoreAlone()
        => Assert.Equal(
            ["CertificateStore", "Housekeeper"],
            _product.CallersOf("StorageLayout", "State").Distinct().Order(StringComparer.Ordinal));

    /// <summary>What is due is decided when work is planned, by one policy, and checked once more under the lease.</summary>
    [Theory]
    [InlineData("RenewalPolicy", "Decide", "ManagedCertificate")]
    [InlineData("ManagedCertificate", "Decide", "CertificatePlanner", "CertificatePlans", "CertificateStatuses")]
    [InlineData("CertificatePlanner", "Plan", "CertificateAgenda", "CertificatePlanner", "CertificateWorker")]
    [InlineData("CertificatePlans", "IsDue", "OrderRunner")]
    public void Due_OfACertificate_IsDecidedOnceAndCheckedOnceUnderTheLease(string type, string method, params string[] callers)
        => Assert.Equal(callers, _product.CallersOf(type, method).Distinct().Order(StringComparer.Ordinal));

    /// <summary>
    /// A name is parsed where it comes in, from code, the configuration, the store or a source, and carried as its own type.
    /// </summary>
    [Fact]
    public void Name_FromOutside_IsParsedWhereItComesIn()
        => Assert.Equal(
            [
                "CertificateManager", "DnsProviderReader", "DomainNameRules", "DomainStore", "EmailAddressRules", "LocalNameRules",
                "SourceNames", "StorageLayout",
            ],
            _product.CallersOf("DomainNameParser", "Parse").Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void CallersOf_AsyncCode_NamesTheTypeThatHoldsIt()
        => Assert.Contains("CertificateStateWriter", _product.CallersOf("CertificateStore", "ReadStateAsync"));
}
