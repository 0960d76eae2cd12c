namespace KestrelAcme.Challenges;

/// <summary>A DNS record that a person has to create before a certificate can be had.</summary>
/// <param name="Name">Its name, absolute, without a dot at the end.</param>
/// <param name="Type">Its type, such as <c>TXT</c>, <c>CAA</c> or <c>CNAME</c>.</param>
/// <param name="Value">Its value in the notation of zone files (RFC 1035 section 5.1): texts are in quotes, names end in a dot.</param>
public sealed record RequiredDnsRecord(string Name, string Type, string Value)
{
    /// <summary>Returns the record as a line of a zone file.</summary>
    public override string ToString() => $"{Name}. {Type} {Value}";
}
