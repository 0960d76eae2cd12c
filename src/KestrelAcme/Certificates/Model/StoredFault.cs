namespace KestrelAcme.Certificates.Model;

/// <summary>What is wrong with a certificate that was found in the store, the worst last: one never takes the place of another that is better.</summary>
internal enum StoredFault
{
    None,
    NotYetValid,
    Expired,
    OtherNames,
    SelfSigned,
}
