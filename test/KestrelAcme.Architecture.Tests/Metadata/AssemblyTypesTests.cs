using KestrelAcme.Architecture.Tests.Samples.Inner;
using KestrelAcme.Architecture.Tests.Samples.Outer;
using Xunit;

namespace KestrelAcme.Architecture.Tests.Metadata;

public sealed class AssemblyTypesTests
{
    [Theory]
    [InlineData(typeof(OnlyInBody), true)]
    [InlineData(typeof(OnlyInLambda), true)]
    [InlineData(typeof(OnlyAfterSwitch), true)]
    [InlineData(typeof(OnlyAsTypeArgument), true)]
    [InlineData(typeof(OnlyInSignature), true)]
    [InlineData(typeof(NotAtAll), false)]
    public void ReadReferences_Sample_FindsTheTarget(Type sample, bool mentions)
    {
        var facts = AssemblyTypes.ReadReferences(sample.Assembly.Location);

        Assert.Equal(mentions, facts.Any(fact => fact.From == sample.FullName && fact.To == typeof(Target).FullName));
    }
}
